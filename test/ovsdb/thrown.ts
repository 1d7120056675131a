// What a function throws, for comparing more of an error than its message.

/** The error that `run` throws; an Error saying so when it throws none. */
export function thrown(run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    return error
  }
  return new Error('nothing was thrown')
}
