// What a lab has left on the machine, for tests that expect nothing.
import { existsSync, readdirSync } from 'node:fs'
import { namespacesOf } from './down.js'
import { commandOf, processesOf } from './process.js'
import { LAB_ROOT } from './spec.js'

/** Directories that a lab must leave as they were, with what is in them. */
export interface Surroundings {
  readonly [directory: string]: readonly string[]
}

export function surroundings(): Surroundings {
  return Object.fromEntries(['/etc/frr', '/run/frr', '/run/openvswitch'].map((directory) => [directory, list(directory)]))
}

/** Everything of the lab that is still there, in words; empty when it is gone. `pids`: those its processes had. */
export function leftovers(id: string, pids: readonly number[] = []): string[] {
  return [
    ...namespacesOf(id).map((name) => `namespace ${name}`),
    ...processesOf(id, []).map(({ pid }) => `process ${pid} ${commandOf(pid)}`),
    ...list(LAB_ROOT).filter((name) => name === id).map((name) => `state ${LAB_ROOT}/${name}`),
    ...list('/var/tmp/frr').filter((name) => pids.includes(Number(name.split('.')[1]))).map((name) => `crash log /var/tmp/frr/${name}`),
    ...list('/tmp').filter((name) => name.includes(id)).map((name) => `file /tmp/${name}`)
  ]
}

function list(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory).sort() : []
}
