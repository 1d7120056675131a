// One feature of a device, as ethtool tells it: rtnetlink does not, and the command that changes it is ethtool's, too.
import { execFile } from 'node:child_process'

const TIMEOUT_MS = 5_000

/** True when the device leaves TX checksums to hardware; a sentence when nobody can say. Never rejects. */
export async function leavesChecksums(device: string): Promise<boolean | string> {
  return await new Promise((resolve) => {
    execFile('ethtool', ['-k', device], { timeout: TIMEOUT_MS, killSignal: 'SIGKILL' }, (error: (Error & { readonly code?: string | number | null }) | null, stdout) => {
      if (error !== null) resolve(error.code === 'ENOENT' ? 'checksum offload was not looked at: ethtool is not installed' : `checksum offload of ${device} was not looked at: ${error.message.trim()}`)
      else resolve(/^tx-checksumming: on/m.test(stdout))
    })
  })
}
