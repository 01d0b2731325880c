import { testMisbehaviours } from "../../support/misbehaviour_row.ts";
import { MISBEHAVIOURS } from "../../support/misbehaviours/refusals.ts";

testMisbehaviours("refusals", MISBEHAVIOURS);
