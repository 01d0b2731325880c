import { testMisbehaviours } from "../../support/misbehaviour_row.ts";
import { MISBEHAVIOURS } from "../../support/misbehaviours/answers.ts";

testMisbehaviours("answers", MISBEHAVIOURS);
