// The address is the view: place, layers, what is open. Whoever opens the address sees the same.
import { NOTHING_ASKED, readAsked, writeAsked, type CasesAsked } from './asked'
import { NO_WORKS_ASKED, readWorksAsked, writeWorksAsked, type WorksAsked } from './works_asked'

export type PageName = 'map' | 'table' | 'journal' | 'orders' | 'programmes' | 'demand' | 'gateways' | 'compliance' | 'maintenance' | 'energy' | 'junctions' | 'cases' | 'rounds' | 'works' | 'settings'

export interface Place {
  lon: number
  lat: number
  zoom: number
}

const PAGES: readonly PageName[] = ['map', 'table', 'journal', 'orders', 'programmes', 'demand', 'gateways', 'compliance', 'maintenance', 'energy', 'junctions', 'cases', 'rounds', 'works', 'settings']

/** In place of an id: what is being made. */
export const NEW = 'new'

/** What a town states for its energy to be reckoned: what a kilowatt-hour costs, and what lighting was before. */
export const BASES = ['tariff', 'former'] as const
export type Basis = (typeof BASES)[number]

/** What is set by hand for the roads. */
export const SETTING_KINDS = ['circuit', 'preventive', 'occasion', 'fence', 'coordination'] as const
export type SettingKind = (typeof SETTING_KINDS)[number]

/** What can be open at the side of the map. A selection is no part of the address. */
export type Side = 'asset' | 'order' | 'case' | 'selection'

const NAMED = ['asset', 'order', 'case'] as const

class View {
  place = $state.raw<Place | null>(null)
  /** Set when the address itself was changed to another place: the map is to go there. */
  jump = $state.raw<Place | null>(null)
  hidden = $state.raw<ReadonlySet<string>>(new Set())
  asset = $state<string | null>(null)
  page = $state<PageName>('map')
  /** The programme that is open on its page, by its id; NEW for one that has none yet, null for the list of them. */
  plan = $state<string | null>(null)
  /** The rule of light on demand that is open on its page, likewise. */
  rule = $state<string | null>(null)
  /** The gateway that is open on its page, by its name; null for all of them. */
  gateway = $state<string | null>(null)
  /** The junction that is open on its page, by its id; null for all of them. */
  junction = $state<string | null>(null)
  /** The corridor that is open there, beneath a junction; '' while none is chosen yet, null for none. */
  corridor = $state<string | null>(null)
  /** The circuit that is open on the page of rounds, and drawn on the map, by its id; null for none. */
  round = $state<string | null>(null)
  /** The month that the page of energy shows, such as 2026-10; null for the last whole one. */
  month = $state<string | null>(null)
  /** The area that it shows, by its path; null for all that may be seen. */
  area = $state<string | null>(null)
  /** What energy is reckoned with, where that is open on its page. */
  basis = $state<Basis | null>(null)
  /** The order that is open, by its id. */
  order = $state<string | null>(null)
  /** The case that is open, by its id; NEW for one that is being opened. */
  case = $state<string | null>(null)
  /** Which cases their page shows, and how. */
  asked = $state.raw<CasesAsked>(NOTHING_ASKED)
  /** Which works in streets their page shows, and how. */
  works = $state.raw<WorksAsked>(NO_WORKS_ASKED)
  /** The works that are written on that page, by their id; NEW for those that have none yet, null for none. */
  permit = $state<string | null>(null)
  /** Which kind of settings of the roads their page shows. */
  settings = $state<SettingKind>('circuit')
  /** The one that is open there, by its id; NEW for one that has none yet, null for the list of its kind. */
  setting = $state<string | null>(null)
  /** What is open at the side, the newest last: it is in front, and the next one comes forward when it is closed. */
  opened = $state.raw<readonly Side[]>([])

  constructor() {
    this.#read()
    addEventListener('hashchange', () => this.#turned())
    addEventListener('popstate', () => this.#turned())
  }

  get front(): Side | null {
    return this.opened.at(-1) ?? null
  }

  /** Opens an asset's sheet in front of whatever is open, or closes it. */
  openAsset(id: string | null): void {
    this.asset = id
    this.raise('asset', id !== null)
    this.#write(true)
  }

  openPage(page: PageName): void {
    if (this.page === page) return
    this.page = page
    this.#write(true)
  }

  openPlan(id: string | null): void {
    this.page = 'programmes'
    this.plan = id
    this.#write(true)
  }

  openRule(id: string | null): void {
    this.page = 'demand'
    this.rule = id
    this.#write(true)
  }

  openGateway(name: string | null): void {
    this.page = 'gateways'
    this.gateway = name
    this.#write(true)
  }

  /** Opens the page of a junction in place of its sheet, which says less of the same; null: of all of them. */
  openJunction(id: string | null): void {
    this.page = 'junctions'
    this.junction = id
    if (id !== null && id === this.asset) {
      this.asset = null
      this.raise('asset', false)
    }
    this.#write(true)
  }

  /** Opens a corridor, '' for whichever comes first; null: none. */
  openCorridor(id: string | null, step = true): void {
    this.page = 'junctions'
    this.junction = null
    this.corridor = id
    this.#write(step)
  }

  openRound(id: string | null): void {
    this.page = 'rounds'
    this.round = id
    this.#write(true)
  }

  /** The map shows no circuit any more. */
  putRoundAway(): void {
    this.round = null
    this.#write(true)
  }

  /** Asks for other works, or for another view of them, on their page. step: as a step in the browser's history. */
  askWorks(change: Partial<WorksAsked>, step = false): void {
    const elsewhere = this.page !== 'works'
    this.page = 'works'
    this.works = { ...this.works, ...change }
    this.#write(step || elsewhere)
  }

  openPermit(id: string | null): void {
    this.page = 'works'
    this.permit = id
    this.#write(true)
  }

  openSetting(kind: SettingKind, id: string | null): void {
    this.page = 'settings'
    this.settings = kind
    this.setting = id
    this.#write(true)
  }

  openEnergy(month: string | null, area: string | null): void {
    this.page = 'energy'
    this.month = month
    this.area = area
    this.basis = null
    this.#write(true)
  }

  openBasis(basis: Basis | null): void {
    this.page = 'energy'
    this.basis = basis
    this.#write(true)
  }

  openOrder(id: string | null): void {
    this.order = id
    this.raise('order', id !== null)
    this.#write(true)
  }

  openCase(id: string | null): void {
    this.case = id
    this.raise('case', id !== null)
    this.#write(true)
  }

  /** Asks for other cases, or for another view of them, on their page. step: as a step in the browser's history. */
  ask(change: Partial<CasesAsked>, step = false): void {
    const elsewhere = this.page !== 'cases'
    this.page = 'cases'
    this.asked = { ...this.asked, ...change }
    this.#write(step || elsewhere)
  }

  /** Brings something to the front, or takes it away. */
  raise(side: Side, open: boolean): void {
    const others = this.opened.filter((each) => each !== side)
    this.opened = open ? [...others, side] : others
  }

  /** The map was moved: the address follows without a step in the browser's history. */
  moved(place: Place): void {
    this.place = place
    this.#write(false)
  }

  toggle(service: string): void {
    const hidden = new Set(this.hidden)
    if (!hidden.delete(service)) hidden.add(service)
    this.hidden = hidden
    this.#write(false)
  }

  showOnly(service: string, all: string[]): void {
    const others = all.filter((each) => each !== service)
    const already = others.every((each) => this.hidden.has(each)) && !this.hidden.has(service)
    this.hidden = new Set(already ? [] : others)
    this.#write(false)
  }

  #turned(): void {
    const before = this.place
    this.#read()
    const { place } = this
    if (place && (place.lon !== before?.lon || place.lat !== before.lat || place.zoom !== before.zoom)) {
      this.jump = place
    }
  }

  #read(): void {
    const params = new URLSearchParams(location.hash.slice(1))
    const at = (params.get('at') ?? '').split(',').map(Number)
    if (at.length === 3 && at.every(Number.isFinite)) {
      this.place = { lon: at[0]!, lat: at[1]!, zoom: at[2]! }
    }
    this.hidden = new Set((params.get('hide') ?? '').split(',').filter(Boolean))
    this.asset = params.get('asset')
    this.order = params.get('order')
    this.case = params.get('case')
    // The latest of them is the one in front; a selection keeps its place before or behind them.
    const said = [...params.keys()].flatMap((key) => NAMED.filter((side) => side === key && params.get(key)))
    const chosen = this.opened.includes('selection') ? (['selection'] as const) : []
    this.opened = this.front === 'selection' ? [...said, ...chosen] : [...chosen, ...said]
    this.plan = params.get('plan')
    this.rule = params.get('rule')
    this.gateway = params.get('gateway')
    this.junction = params.get('junction')
    this.corridor = params.get('corridor')
    this.round = params.get('round')
    this.month = /^\d{4}-(0[1-9]|1[0-2])$/.exec(params.get('month') ?? '')?.[0] ?? null
    this.area = params.get('area')
    this.basis = BASES.find((each) => each === params.get('basis')) ?? null
    this.page = PAGES.find((page) => page === params.get('page')) ?? 'map'
    if (this.page === 'cases') this.asked = readAsked(params)
    this.permit = params.get('permit')
    if (this.page === 'works') this.works = readWorksAsked(params)
    this.setting = params.get('setting')
    this.settings = SETTING_KINDS.find((each) => each === params.get('of')) ?? this.settings
  }

  #write(step: boolean): void {
    const params = new URLSearchParams()
    if (this.place) {
      const { lon, lat, zoom } = this.place
      params.set('at', `${lon.toFixed(5)},${lat.toFixed(5)},${zoom.toFixed(2)}`)
    }
    if (this.hidden.size) params.set('hide', [...this.hidden].join(','))
    if (this.page !== 'map') params.set('page', this.page)
    if (this.page === 'programmes' && this.plan) params.set('plan', this.plan)
    if (this.page === 'demand' && this.rule) params.set('rule', this.rule)
    if (this.page === 'gateways' && this.gateway) params.set('gateway', this.gateway)
    if (this.page === 'junctions' && this.junction) params.set('junction', this.junction)
    if (this.page === 'junctions' && this.corridor !== null) params.set('corridor', this.corridor)
    if ((this.page === 'rounds' || this.page === 'map') && this.round) params.set('round', this.round)
    if (this.page === 'energy' && this.month) params.set('month', this.month)
    if (this.page === 'energy' && this.area) params.set('area', this.area)
    if (this.page === 'energy' && this.basis) params.set('basis', this.basis)
    if (this.page === 'cases') writeAsked(params, this.asked)
    if (this.page === 'works') writeWorksAsked(params, this.works)
    if ((this.page === 'works' || this.page === 'map') && this.permit) params.set('permit', this.permit)
    const onMap = this.page === 'map' && this.setting !== null
    if (this.page === 'settings' || onMap) params.set('of', this.settings)
    if ((this.page === 'settings' || onMap) && this.setting) params.set('setting', this.setting)
    for (const side of this.opened) {
      const id = side === 'selection' ? null : this[side]
      if (id) params.set(side, id)
    }
    const hash = `#${params.toString().replaceAll('%2C', ',').replaceAll('%2F', '/').replaceAll('%7E', '~')}`
    if (hash === location.hash) return
    if (step) history.pushState(null, '', hash)
    else history.replaceState(null, '', hash)
  }
}

export const view = new View()
