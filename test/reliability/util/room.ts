// Room in the packet sockets of another process: ovs-vswitchd's userspace datapath reads its ports by them, with room for some
// 250 packets. A machine that stops it for half a second would lose packets that no restart of ours has lost.
import { closeSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import koffi, { type KoffiFunc } from 'koffi'
import { forceReceiveBuffer } from '../../system/util/packet-socket.js'

/** Numbers of system calls, the same on all architectures since they came with Linux 5.3 and 5.6. */
const SYS = { pidfd_open: 434, pidfd_getfd: 438 } as const

const syscall = koffi.load(null).func('long syscall(long, long, long, long)') as
  KoffiFunc<(number: number, a: number, b: number, c: number) => number>

/** Gives every packet socket of a process room for what comes while it is stopped. Returns how many there are. */
export function giveRoom(pid: number): number {
  const inodes = new Set(readFileSync(`/proc/${pid}/net/packet`, 'utf8').trim().split('\n').slice(1).map((line) => line.trim().split(/\s+/).at(-1)))
  const process = checked(syscall(SYS.pidfd_open, pid, 0, 0), 'pidfd_open')
  try {
    const fds = readdirSync(`/proc/${pid}/fd`).filter((fd) => inodes.has(inodeOf(`/proc/${pid}/fd/${fd}`)))
    for (const fd of fds) {
      const copy = checked(syscall(SYS.pidfd_getfd, process, Number(fd), 0), 'pidfd_getfd')
      forceReceiveBuffer(copy)
      closeSync(copy)
    }
    return fds.length
  } finally {
    closeSync(process)
  }
}

/** Of what `socket:[12345]` names; undefined for any other file. */
function inodeOf(path: string): string | undefined {
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(path))?.[1]
  } catch {
    return undefined // closed meanwhile
  }
}

function checked(result: number, what: string): number {
  if (result < 0) throw new Error(`cannot give room to packet sockets: ${what}: errno ${koffi.errno()}`)
  return result
}
