// Groups by name, for the control socket's permissions. Node has no getgrnam(3); /etc/group is where a chassis has them.
import fs from 'node:fs'
import { parseWhole } from '../../net/number.js'

const MAX_GID = 0xfffffffe

/** Number of a group given by name or number. Throws when the name is unknown. */
export function groupId(group: string, file = '/etc/group'): number {
  const number = parseWhole(group, 0, MAX_GID)
  if (number !== undefined) return number
  const fields = fs.readFileSync(file, 'utf8').split('\n').map(line => line.split(':')).find(([name]) => name === group)
  const gid = parseWhole(fields?.[2] ?? '', 0, MAX_GID)
  if (gid === undefined) throw new Error(`--unixctl-group=${group}: no such group in ${file}`)
  return gid
}
