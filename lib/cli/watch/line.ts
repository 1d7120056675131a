// Events as lines: fixed columns first, so that lines that come one by one stand under each other.
import { oneLine } from '../../daemon/log/line.js'
import type { TransitionReport } from '../../daemon/report/report.js'
import { byText, changeText, eventText, latencyText, subjectText } from '../../daemon/report/words.js'
import type { Paint } from '../colour.js'
import { colourOf, type DropEvent } from './words.js'

const WIDTH = { vni: 12, event: 16, subject: 17, latency: 9 } as const

export function eventLine(event: TransitionReport, paint: Paint): string {
  const text = eventText(event)
  const colour = colourOf(event)
  const what = colour === undefined ? text : paint(text, colour)
  const subject = subjectText(event)
  return join([
    paint(clock(event.time), 'dim'), vniText(event.vni), what + ' '.repeat(Math.max(0, WIDTH.event - text.length)), latencyText(event).padStart(WIDTH.latency),
    ...(subject === '' ? [] : [oneLine(subject).padEnd(WIDTH.subject)]), oneLine(changeText(event)), paint(`by ${byText(event)}`, 'dim')
  ])
}

export function dropLine({ time, vni, port, reason, packets, bytes }: DropEvent, paint: Paint): string {
  const event = 'drops'
  return join([
    paint(clock(time), 'dim'), vniText(vni), paint(event, 'red') + ' '.repeat(WIDTH.event - event.length), ' '.repeat(WIDTH.latency),
    oneLine(`${packets} packets, ${bytes} bytes: ${reason}${port === undefined ? '' : ` on ${port}`}`)
  ])
}

/** The time of day of an ISO 8601 time, UTC as in the daemon's log. */
function clock(time: string): string {
  return time.slice(11, 24)
}

function vniText(vni: number | undefined): string {
  return (vni === undefined ? '' : `VNI ${vni}`).padEnd(WIDTH.vni)
}

function join(parts: readonly string[]): string {
  return parts.join('  ').trimEnd() + '\n'
}
