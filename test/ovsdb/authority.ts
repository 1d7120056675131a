// Certificate authorities for tests of ssl: remotes, made by openssl.
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { TlsFiles } from '../../lib/ovsdb/index.js'
import { temporaryDirectory } from './server.js'

/** A certificate authority in a directory of its own; `issue` makes a key and a certificate signed by it. */
export function authority(t: Test, name: string): { issue(subject: string): TlsFiles } {
  const directory = temporaryDirectory(t)
  const file = (base: string): string => join(directory, base)
  const openssl = (...args: readonly string[]): void => { execFileSync('openssl', args, { stdio: 'ignore' }) }
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  openssl('req', '-x509', ...newKey, '-keyout', file('ca.key'), '-out', file('ca.pem'), '-subj', `/CN=${name}`, '-days', '1')
  return {
    issue: (subject) => {
      openssl('req', ...newKey, '-keyout', file(`${subject}.key`), '-out', file(`${subject}.csr`), '-subj', `/CN=${subject}`)
      openssl('x509', '-req', '-in', file(`${subject}.csr`), '-CA', file('ca.pem'), '-CAkey', file('ca.key'), '-CAcreateserial',
        '-out', file(`${subject}.pem`), '-days', '1')
      return { privateKey: file(`${subject}.key`), certificate: file(`${subject}.pem`), caCert: file('ca.pem') }
    }
  }
}
