-- Sightings are recorded as seen at one moment: the function that took two stands no more beside it.
drop function if exists sighting_insert(int4, int8, int8, bytea[]);
