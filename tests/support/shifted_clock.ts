/**
 * A machine whose clock is wrong: what this process takes for now, but neither its timers nor the database's time.
 *
 * @module
 */

/** Puts `Date.now()` ahead by so many seconds (negative: behind), until disposed. */
export function shiftClock(seconds: number): Disposable {
  const real = Date.now;
  Date.now = () => real() + seconds * 1_000;
  return {
    [Symbol.dispose]: () => {
      Date.now = real;
    },
  };
}
