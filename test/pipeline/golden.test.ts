// The flows of a small fabric, as a person reviews them: fixtures/pipeline/*.txt. And ovs-ofctl understands every one of them.
import { spawnSync } from 'node:child_process'
import t from 'tap'
import { decodeActions, encodeActions, encodeMatch, formatActions, formatMatch } from '../../lib/openflow/index.js'
import type { Flow } from '../../lib/pipeline/flow.js'
import { TOPICS, type Topic } from './fabric.js'
import { fixture, flowText, groupText } from './golden.js'

function text({ about, flows, groups }: Topic): string {
  return [...about.map((line) => `# ${line}`), '', ...flows.map(flowText), ...groups.map(groupText), ''].join('\n')
}

for (const topic of TOPICS) {
  await t.test(`fixtures/pipeline/${topic.name}.txt: ${topic.about[0]}`, (t) => {
    const current = text(topic)
    t.equal(current, fixture(topic.name, current))
    t.end()
  })
}

/** A flow in ovs-ofctl's own syntax: tables by number. */
function ofctlText({ table, priority, match, actions }: Flow): string {
  const parts = [`table=${table}`, `priority=${priority}`, formatMatch(encodeMatch(match))].filter((part) => part !== '')
  return `${parts.join(',')} actions=${formatActions(decodeActions(encodeActions(actions)))}`
}

await t.test('ovs-ofctl parses every flow of the fabric', (t) => {
  const flows = TOPICS.flatMap((topic) => topic.flows)
  const { stdout, stderr, status, error } = spawnSync('ovs-ofctl', ['-O', 'OpenFlow15', 'parse-flows', '-'], { input: flows.map(ofctlText).join('\n') + '\n', encoding: 'utf8' })
  t.equal(error, undefined)
  t.equal(stderr, '')
  t.equal(status, 0)
  t.equal(stdout.split('\n').filter((line) => line.includes('FLOW_MOD')).length, flows.length)
  t.end()
})
