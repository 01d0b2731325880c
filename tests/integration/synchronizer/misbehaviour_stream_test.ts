import { testMisbehaviours } from "../../support/misbehaviour_row.ts";
import { MISBEHAVIOURS } from "../../support/misbehaviours/streams.ts";

testMisbehaviours("streams", MISBEHAVIOURS);
