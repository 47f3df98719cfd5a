// What is on screen: it is the address, so that the telephone's own back works.

export type Place = 'list' | 'map' | 'phone' | 'order'

class View {
  place = $state<Place>('list')
  order = $state('')
  #depth = 0

  constructor() {
    addEventListener('hashchange', () => this.#read())
    this.#read()
  }

  open(place: Place, order = ''): void {
    const next = place === 'list' ? '' : place === 'order' ? `order=${encodeURIComponent(order)}` : place
    if (next === location.hash.slice(1)) return
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

  #read(): void {
    const said = location.hash.slice(1)
    this.order = said.startsWith('order=') ? decodeURIComponent(said.slice(6)) : ''
    this.place = this.order ? 'order' : said === 'map' || said === 'phone' ? said : 'list'
  }
}

export const view = new View()
