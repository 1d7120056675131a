// A program for the crash tests: builds a small lab, says so, and then ends in the way it is told.
import { Lab } from './lab.js'

const [id = '', ending] = process.argv.slice(2)

await Lab.up({ id, chassis: 1, linux: 1, vnis: [7] })
console.log('up')
switch (ending) {
  case 'exit':
    process.exit(3)
    break
  case 'throw':
    setImmediate(() => { throw new Error('the mishap') })
    break
  default:
    setInterval(() => undefined, 60_000)
}
