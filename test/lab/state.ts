// The lab on disk: /run/ovs-evpn-lab/<id>/ says what was planned and which processes were started, so that
// `down` works after any crash. Written before the thing it speaks of exists, where that is possible.
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { isAlive, processByPid, type ProcessId } from './process.js'
import { LAB_ROOT, type LabPlan } from './spec.js'

/** A process the lab started: on which VTEP or workload, as what. */
export interface ProcessRecord extends ProcessId {
  readonly host: string
  readonly name: string
}

export interface LabState {
  readonly plan: LabPlan
  /** The process whose end makes the lab an orphan; none once `lab up` has left it running on purpose. */
  readonly owner?: ProcessId
}

/** Makes the lab's directory, which is also the lock on its id. Throws when such a lab exists. */
export function claimLab(plan: LabPlan): void {
  if (mkdirSync(plan.dir, { recursive: true }) === undefined) {
    throw new Error(`lab '${plan.id}' exists already; remove it with: npm run lab -- down --id ${plan.id}`)
  }
  const owner = processByPid(process.pid)
  writeState(owner === undefined ? { plan } : { plan, owner })
}

/** Replaces what is known of the lab, atomically. */
export function writeState(state: LabState): void {
  const path = statePath(state.plan.id)
  writeFileSync(`${path}.new`, JSON.stringify(state, undefined, 1))
  renameSync(`${path}.new`, path)
}

/** The lab's state, or undefined when there is no such lab or it died before its plan was written. */
export function readState(id: string): LabState | undefined {
  return parseJson<LabState>(readText(statePath(id)) ?? '')
}

/** Records a process just started. Returns undefined when it has ended already. */
export function recordProcess(id: string, host: string, name: string, pid: number): ProcessRecord | undefined {
  const found = processByPid(pid)
  if (found === undefined) return undefined
  const record = { host, name, ...found }
  appendFileSync(processesPath(id), JSON.stringify(record) + '\n')
  return record
}

/** Every process ever recorded, oldest first; a line cut short by a crash is passed over. */
export function readProcesses(id: string): ProcessRecord[] {
  return (readText(processesPath(id)) ?? '').split('\n').flatMap((line) => parseJson<ProcessRecord>(line) ?? [])
}

/** The living process of that name on that host. */
export function findProcess(id: string, host: string, name: string): ProcessRecord | undefined {
  return readProcesses(id).findLast((record) => record.host === host && record.name === name && isAlive(record))
}

/** Ids of all labs on this machine. */
export function labIds(): string[] {
  return existsSync(LAB_ROOT) ? readdirSync(LAB_ROOT).sort() : []
}

/** True for a lab whose program died without taking it down. */
export function isOrphan(id: string): boolean {
  const owner = readState(id)?.owner
  return owner !== undefined && !isAlive(owner)
}

/** Removes the lab's directory, and the root with the last one. */
export function removeState(id: string): void {
  rmSync(`${LAB_ROOT}/${id}`, { recursive: true, force: true })
  try {
    rmdirSync(LAB_ROOT)
  } catch {
    // other labs live there, or it is gone
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

/** What a line says, or undefined when a crash cut it short. */
function parseJson<T>(text: string): T | undefined {
  try {
    return JSON.parse(text) as T
  } catch {
    return undefined
  }
}

function statePath(id: string): string {
  return `${LAB_ROOT}/${id}/lab.json`
}

function processesPath(id: string): string {
  return `${LAB_ROOT}/${id}/processes`
}
