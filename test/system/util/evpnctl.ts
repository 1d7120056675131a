// ovs-evpnctl on a chassis, as an operator types it.
import { fileURLToPath } from 'node:url'
import type { RunOptions, RunResult } from '../../lab/run.js'
import type { Lab } from '../../lab/lab.js'

const PROGRAM = fileURLToPath(new URL('../../../bin/ovs-evpnctl.js', import.meta.url))

/** Runs ovs-evpnctl. Throws RunError with what it printed on a non-zero code, unless allowed. */
export function evpnctl(lab: Lab, chassis: string, args: readonly string[], options?: RunOptions): Promise<RunResult> {
  return lab.exec(chassis, [process.execPath, PROGRAM, ...args], options)
}
