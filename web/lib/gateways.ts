// TALQ gateways as the API tells them, and how one stands: what is the matter with it, the worst first.

export interface Said {
  calendar: string | null
  nights: number | null
  /** From how many minutes after sunset to how many after sunrise. */
  lit: [number, number] | null
  levels: [minute: number, level: number][] | null
}

export interface Difference {
  sort: string
  name: string
  what: 'missing' | 'other' | 'surplus' | 'strange'
  ours: boolean
  asset: string | null
  wanted: Said | null
  held: Said | null
}

export type Stands = 'unknown' | 'unable' | 'pending' | 'differs' | 'in_step' | 'refuses'

export interface Held {
  stands: Stands
  busy: boolean
  read: string | null
  due: string | null
  lamps: number
  step_min: number
  plans: Record<string, number>
  mended: string | null
  sent: number
  tries: number
  differences: Difference[]
  differences_total: number
  differing: Record<string, number>
}

export interface GatewayCondition {
  id: string
  condition: string
  outlet: 'alarm' | 'maintenance' | 'record'
  priority: number
  raised: string
  asset: string
}

export interface Gateway {
  name: string
  uri: string
  step: string
  telling: boolean
  attached: string | null
  heard: string | null
  reached: boolean | null
  clock_ahead_s: number
  assets: number
  kinds: Record<string, number>
  bounds: [west: number, south: number, east: number, north: number]
  devices: number
  unknown: { address: string; name: string; asset: string }[]
  unknown_total: number
  missing: string[]
  missing_total: number
  waiting: number
  orders: Record<string, number>
  refused: Record<string, number>
  programmes: Held
  conditions: GatewayCondition[]
  notices: { event: string; begins: boolean | null; at: string; device: string; asset: string | null }[]
  may_read: boolean
}

/** What can be the matter with a gateway, the worst first. */
export const MATTERS = [
  'silent',
  'refuses',
  'clock',
  'unreached',
  'never',
  'attaching',
  'missing',
  'unknown',
  'unable',
  'pushing',
  'pending',
  'unread',
] as const
export type Matter = (typeof MATTERS)[number]

const MOVING: ReadonlySet<Matter> = new Set(['attaching', 'pushing', 'pending', 'unread'])
/** So far a clock may be off before it is said: the post's own limit is told by a condition. */
const CLOCK_S = 60

/** All that is the matter with it, the worst first; nothing where it holds what it should and speaks. */
export function mattersOf(gateway: Gateway): Matter[] {
  const { programmes, step, telling } = gateway
  const open = new Set(gateway.conditions.map((each) => each.condition))
  const attached = step === 'ready' && !telling
  const never = gateway.attached === null
  const found: Record<Matter, boolean> = {
    silent: open.has('gateway_silent') && !never,
    refuses: programmes.stands === 'refuses' || open.has('programme_not_held'),
    clock: open.has('gateway_clock') || Math.abs(gateway.clock_ahead_s) > CLOCK_S,
    unreached: gateway.reached === false && !open.has('gateway_silent'),
    never,
    attaching: !never && !attached,
    missing: attached && gateway.missing_total > 0,
    unknown: attached && gateway.unknown_total > 0,
    unable: attached && programmes.stands === 'unable',
    pushing: attached && programmes.stands === 'differs',
    pending: attached && programmes.stands === 'pending',
    unread: attached && programmes.stands === 'unknown',
  }
  return MATTERS.filter((matter) => found[matter])
}

export type Group = 'all' | 'wrong' | 'moving' | 'in_step'
export const GROUPS: readonly Group[] = ['all', 'wrong', 'moving', 'in_step']

/** Where it is counted: by the worst that is the matter with it. */
export function groupOf(matters: readonly Matter[]): Exclude<Group, 'all'> {
  const worst = matters[0]
  if (worst === undefined) return 'in_step'
  return MOVING.has(worst) ? 'moving' : 'wrong'
}

/** The sign of it, as every list has it: its worst alarm, 4 for maintenance alone, 0 for none. */
export function worstOf(gateway: Gateway): number {
  return gateway.conditions.reduce((worst, { outlet, priority }) => {
    const own = outlet === 'alarm' ? priority : outlet === 'maintenance' ? 4 : 0
    return own && (worst === 0 || own < worst) ? own : worst
  }, 0)
}

export interface Row {
  gateway: Gateway
  matters: Matter[]
  worst: number
}

/** The worst first: by its alarms, then by what is the matter with it, then by its name. */
export function rowsOf(gateways: readonly Gateway[]): Row[] {
  const rank = ({ worst, matters }: Row): number =>
    (worst || 5) * 100 + (matters[0] === undefined ? MATTERS.length : MATTERS.indexOf(matters[0]))
  return gateways
    .map((gateway) => ({ gateway, matters: mattersOf(gateway), worst: worstOf(gateway) }))
    .sort((a, b) => rank(a) - rank(b) || a.gateway.name.localeCompare(b.gateway.name, undefined, { numeric: true }))
}

/** How many of those that a programme speaks to hold it: [they do, all]. */
export function takenBy(gateways: readonly Gateway[], plan: string): [taken: number, all: number] {
  const own = gateways.filter((each) => (each.programmes.plans[plan] ?? 0) > 0)
  return [own.filter((each) => each.programmes.stands === 'in_step').length, own.length]
}

/** Differences that are one to a person: lamps that should follow one calendar and follow one other. */
export interface Alike {
  first: Difference
  assets: string[]
}

export function alike(differences: readonly Difference[]): Alike[] {
  const found = new Map<string, Alike>()
  for (const each of differences) {
    const lamp = each.sort === 'assignments'
    const key = lamp ? `${each.what}/${each.ours}/${each.wanted?.calendar}/${each.held?.calendar}` : `${each.sort}/${each.name}`
    const known = found.get(key)
    if (!known) found.set(key, { first: each, assets: each.asset ? [each.asset] : [] })
    else if (each.asset) known.assets.push(each.asset)
  }
  return [...found.values()]
}
