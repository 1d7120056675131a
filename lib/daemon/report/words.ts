// A transition in words: what the page, `ovs-evpnctl watch` and `history` all say of it.
import type { TransitionReport } from './report.js'

const BY: Readonly<Record<TransitionReport['by'], string>> = {
  speaker: 'routing daemon', 'stale-time': 'end of evpn-stale-time', configuration: 'configuration', devices: 'kernel devices', switch: 'bridge port',
  port: 'workload port', packet: 'packet', claim: 'our claim', bridge: 'kernel bridge', others: 'somebody else'
}

/** Who did it. */
export function byText({ by }: TransitionReport): string {
  return BY[by]
}

const NAMES: Readonly<Record<TransitionReport['kind'], string>> = { vtep: 'VTEP', mac: 'MAC', ip: 'IP', claim: 'claim', speaker: 'FRR', drift: 'drift' }

/** What happened: "MAC moved". */
export function eventText({ kind, event }: TransitionReport): string {
  return `${NAMES[kind]} ${event}`
}

/** How it was and is. */
export function changeText({ kind, of, from, to }: TransitionReport): string {
  if (kind === 'drift') return of
  if (from === undefined) return to ?? ''
  return to === undefined ? `was ${from}` : `${from} -> ${to}`
}

/** The address, or nothing where a sentence says it. */
export function subjectText({ kind, of }: TransitionReport): string {
  if (kind === 'drift') return ''
  return kind === 'vtep' ? of.replace(/ 4789$/, '').replace(' ', ' UDP port ') : of
}

export function latencyText({ latency }: TransitionReport): string {
  return latency === undefined ? '' : `${latency.toFixed(1)} ms`
}
