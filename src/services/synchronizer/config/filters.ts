/**
 * The filters that are archived.
 *
 * @module
 */
import { z } from "zod";
import {
  type Filter,
  filterHash,
  parseFilter,
} from "../../../models/filter.ts";

const filterConfig = z.unknown().transform((value, check): Filter => {
  const parsed = parseFilter(value);
  if (!parsed.ok) {
    check.addIssue({ code: "custom", message: parsed.failure.detail });
    return z.NEVER;
  }
  const { since, until, limit, ...filter } = parsed.value;
  if (since !== undefined || until !== undefined || limit !== undefined) {
    const message =
      "must not have since, until or limit: they are keys of the synchronizer";
    check.addIssue({ code: "custom", message });
  }
  return filter;
});

/** Each is walked by itself; a filter given twice would be walked twice. */
export const filtersConfig = z.array(filterConfig).min(1).max(100)
  .refine(
    (filters) => new Set(filters.map(filterHash)).size === filters.length,
    { message: "must not contain the same filter twice" },
  );
