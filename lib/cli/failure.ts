// What ends ovs-evpnctl early: a sentence for the user and the exit code.

/** Exit codes: the daemon could not be asked; the question was wrong. */
export const EXIT_UNREACHABLE = 1
export const EXIT_USAGE = 2

export class Failure extends Error {
  readonly exitCode: number

  constructor(exitCode: number, message: string) {
    super(message)
    this.exitCode = exitCode
  }
}
