// The growth curve as SVG: time of one change over the number of MACs, both axes logarithmic, ours and the reference's.
import { summarise, type Figure } from './figures.js'
import { short } from './table.js'

interface Point { readonly n: number, readonly ms: number }

/** ovn-controller (main of August 2026) with OVS 3.7.90 on 2 cores, as the project's performance goals state it. */
const REFERENCE: readonly Point[] = [{ n: 100, ms: 0.98 }, { n: 1000, ms: 2.2 }, { n: 10_000, ms: 15.2 }, { n: 100_000, ms: 436 }]

const WIDTH = 720
const HEIGHT = 420
const FRAME = { left: 70, right: 150, top: 40, bottom: 50 } as const
const X = { from: 2, to: 5 } as const
const Y = { from: -1, to: 3 } as const

/** undefined when nothing of it was measured. */
export function curve(figures: readonly Figure[]): string | undefined {
  const ours = figures.filter(({ what, n }) => what === 'one MAC added' && n !== undefined)
    .map(({ n = 0, samples }): Point => ({ n, ms: summarise(samples).median }))
  if (ours.length === 0) return undefined
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="13">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="white"/>`,
    `<text x="${FRAME.left}" y="24" font-size="16">One MAC added: milliseconds until its flow is in br-int</text>`,
    ...grid(),
    ...line(REFERENCE, '#b34', 'ovn-controller'),
    ...line(ours, '#15a', 'ovs-evpnd'),
    '</svg>', ''
  ].join('\n')
}

function x(n: number): number {
  return FRAME.left + (Math.log10(n) - X.from) / (X.to - X.from) * (WIDTH - FRAME.left - FRAME.right)
}

function y(ms: number): number {
  return HEIGHT - FRAME.bottom - (Math.log10(ms) - Y.from) / (Y.to - Y.from) * (HEIGHT - FRAME.top - FRAME.bottom)
}

function grid(): string[] {
  const lines: string[] = []
  for (let e = X.from; e <= X.to; e++) {
    lines.push(`<line x1="${x(10 ** e)}" y1="${FRAME.top}" x2="${x(10 ** e)}" y2="${HEIGHT - FRAME.bottom}" stroke="#ddd"/>`)
    lines.push(`<text x="${x(10 ** e)}" y="${HEIGHT - FRAME.bottom + 20}" text-anchor="middle">${(10 ** e).toLocaleString('en')}</text>`)
  }
  for (let e = Y.from; e <= Y.to; e++) {
    lines.push(`<line x1="${FRAME.left}" y1="${y(10 ** e)}" x2="${WIDTH - FRAME.right}" y2="${y(10 ** e)}" stroke="#ddd"/>`)
    lines.push(`<text x="${FRAME.left - 8}" y="${y(10 ** e) + 4}" text-anchor="end">${10 ** e} ms</text>`)
  }
  return [...lines, `<text x="${(FRAME.left + WIDTH - FRAME.right) / 2}" y="${HEIGHT - 8}" text-anchor="middle">MACs in the VNI</text>`]
}

function line(points: readonly Point[], color: string, name: string): string[] {
  const last = points.at(-1)
  return [
    `<polyline points="${points.map(({ n, ms }) => `${x(n).toFixed(1)},${y(ms).toFixed(1)}`).join(' ')}" fill="none" stroke="${color}" stroke-width="2"/>`,
    ...points.map(({ n, ms }) => `<circle cx="${x(n).toFixed(1)}" cy="${y(ms).toFixed(1)}" r="3.5" fill="${color}"><title>${n}: ${short(ms)} ms</title></circle>`),
    ...(last === undefined ? [] : [`<text x="${x(last.n) + 10}" y="${y(last.ms) + 4}" fill="${color}">${name} ${short(last.ms)} ms</text>`])
  ]
}
