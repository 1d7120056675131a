// Taking a lab down from what is on disk and in the kernel: works for a running lab, a half-built one and after a crash.
import { existsSync, readdirSync, rmdirSync, rmSync } from 'node:fs'
import { endProcesses, isAlive, plainEnv, processByPid, processesOf, type ProcessId } from './process.js'
import { run } from './run.js'
import { checkId, LAB_ROOT, netnsPrefix } from './spec.js'
import { isOrphan, labIds, readProcesses, removeState } from './state.js'
import { waitFor } from './wait.js'

const NETNS_DIR = '/run/netns'
/** Where FRR's daemons keep a directory each for their crash logs, which they leave behind when killed. */
const FRR_CRASH_DIR = '/var/tmp/frr'

/** Removes every process, namespace, device and file of the lab. Does nothing when there is none. */
export async function removeLab(id: string): Promise<void> {
  checkId(id)
  // A program that was just starting may slip into a namespace that is being deleted: look again until nothing is left.
  do {
    const ended = await endAll(id)
    for (const pid of ended) removeFrrCrashDirs(pid)
    await removeNamespaces(id)
  } while (livingProcesses(id).length > 0)
  removeState(id)
}

/** Removes labs whose program died without taking them down. Returns their ids. */
export async function removeOrphans(): Promise<string[]> {
  const orphans = labIds().filter(isOrphan)
  for (const id of orphans) await removeLab(id)
  return orphans
}

/** True when anything of the lab is left: state, a namespace or a process. */
export function labExists(id: string): boolean {
  return existsSync(`${LAB_ROOT}/${id}`) || namespacesOf(id).length > 0
}

/** Names of the lab's namespaces that exist. */
export function namespacesOf(id: string): string[] {
  return existsSync(NETNS_DIR) ? readdirSync(NETNS_DIR).filter((name) => name.startsWith(netnsPrefix(id))) : []
}

/** Ends the lab's processes until none is left: one may start another while it is being ended. Returns all pids it knew. */
async function endAll(id: string): Promise<Set<number>> {
  const pids = new Set(readProcesses(id).map(({ pid }) => pid))
  for (let found = livingProcesses(id); found.length > 0; found = livingProcesses(id)) {
    for (const { pid } of found) pids.add(pid)
    await endProcesses(found)
  }
  return pids
}

function livingProcesses(id: string): ProcessId[] {
  const paths = namespacesOf(id).map((name) => `${NETNS_DIR}/${name}`)
  const found = new Map(processesOf(id, paths).map((process) => [process.pid, process]))
  for (const record of readProcesses(id).filter(isAlive)) found.set(record.pid, record)
  return [...found.values()]
}

async function removeNamespaces(id: string): Promise<void> {
  const names = namespacesOf(id)
  if (names.length === 0) return
  const input = names.map((name) => `netns del ${name}\n`).join('')
  // Another program may be removing the same lab: what counts is that they are gone. Without the lab's marker, or the two
  // would end each other.
  const { stderr } = await run(['ip', '-force', '-batch', '-'], { input, env: plainEnv(), allowFailure: true })
  const left = (): string => namespacesOf(id).join(', ')
  await waitFor(`the namespaces of lab '${id}' to go`, () => left() === '' || `${left()}; ${stderr.trim()}`, 5000)
}

function removeFrrCrashDirs(pid: number): void {
  if (processByPid(pid) !== undefined) return // the number has gone to another process meanwhile
  for (const name of ['zebra', 'bgpd']) rmSync(`${FRR_CRASH_DIR}/${name}.${pid}`, { recursive: true, force: true })
  try {
    rmdirSync(FRR_CRASH_DIR)
  } catch {
    // in use by another FRR, or not there
  }
}
