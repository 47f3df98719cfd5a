// What is on screen: it is the address, so that the telephone's own back works.

export type Place = 'list' | 'map' | 'phone' | 'order'

class View {
  place = $state<Place>('list')
  order = $state('')
  #depth = 0
  /** How far down the list was when it was left. */
  #listAt = 0

  constructor() {
    addEventListener('hashchange', () => this.#read())
    this.#read()
  }

  open(place: Place, order = ''): void {
    const next = place === 'list' ? '' : place === 'order' ? `order=${encodeURIComponent(order)}` : place
    if (next === location.hash.slice(1)) return
    if (this.place === 'list') this.#listAt = scrollY
    this.#depth += 1
    location.hash = next
  }

  /** List and map are two looks at the same: neither is behind the other. */
  swap(place: 'list' | 'map'): void {
    history.replaceState(null, '', place === 'map' ? '#map' : location.pathname)
    this.#read()
  }

  back(): void {
    if (this.#depth > 0) {
      this.#depth -= 1
      history.back()
    } else this.swap('list')
  }

  /** Where the page is to stand once what is open is drawn. */
  get top(): number {
    return this.place === 'list' ? this.#listAt : 0
  }

  #read(): void {
    const said = location.hash.slice(1)
    this.order = said.startsWith('order=') ? decoded(said.slice(6)) : ''
    this.place = this.order ? 'order' : said === 'map' || said === 'phone' ? said : 'list'
  }
}

/** '' for an address that was cut, or written by hand. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return ''
  }
}

export const view = new View()
