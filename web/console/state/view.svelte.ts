// The address is the view: place, layers, what is open. Whoever opens the address sees the same.

export type PageName = 'map' | 'table' | 'journal' | 'orders'

export interface Place {
  lon: number
  lat: number
  zoom: number
}

const PAGES: readonly PageName[] = ['map', 'table', 'journal', 'orders']

class View {
  place = $state.raw<Place | null>(null)
  /** Set when the address itself was changed to another place: the map is to go there. */
  jump = $state.raw<Place | null>(null)
  hidden = $state.raw<ReadonlySet<string>>(new Set())
  asset = $state<string | null>(null)
  page = $state<PageName>('map')
  /** The order that is open, by its id. */
  order = $state<string | null>(null)

  constructor() {
    this.#read()
    addEventListener('hashchange', () => this.#turned())
    addEventListener('popstate', () => this.#turned())
  }

  /** Opens an asset's sheet, or closes it. */
  openAsset(id: string | null): void {
    if (this.asset === id) return
    this.asset = id
    this.#write(true)
  }

  openPage(page: PageName): void {
    if (this.page === page) return
    this.page = page
    this.#write(true)
  }

  openOrder(id: string | null): void {
    if (this.order === id) return
    this.order = id
    this.#write(true)
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
    this.page = PAGES.find((page) => page === params.get('page')) ?? 'map'
  }

  #write(step: boolean): void {
    const params = new URLSearchParams()
    if (this.place) {
      const { lon, lat, zoom } = this.place
      params.set('at', `${lon.toFixed(5)},${lat.toFixed(5)},${zoom.toFixed(2)}`)
    }
    if (this.hidden.size) params.set('hide', [...this.hidden].join(','))
    if (this.page !== 'map') params.set('page', this.page)
    if (this.asset) params.set('asset', this.asset)
    if (this.order) params.set('order', this.order)
    const hash = `#${params.toString().replaceAll('%2C', ',').replaceAll('%2F', '/')}`
    if (hash === location.hash) return
    if (step) history.pushState(null, '', hash)
    else history.replaceState(null, '', hash)
  }
}

export const view = new View()
