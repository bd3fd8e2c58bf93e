// {cases: [{expression, data}]} -> {ok, content: [{value} | {refused}]}: what the
// implementation of the language's authors makes of each expression.
import certlogic from "certlogic-js";
import { answer } from "./harness.mjs";

await answer(({ cases }) => ({
  ok: true,
  content: cases.map(({ expression, data }) => {
    try {
      const value = certlogic.evaluate(expression, data);
      return value === undefined ? { refused: "undefined" } : { value };
    } catch (error) {
      return { refused: String(error?.message ?? error) };
    }
  }),
}));
