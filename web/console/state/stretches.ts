// Stretches of streets, asked for at the post: the one that somebody points at, and those that are named.
import { api } from '@lib/api'
import type { Street } from '@lib/works'

/** So many are asked for at a time: the first of a long circuit are named while the others are on their way. */
const AT_ONCE = 40

export async function streetAt(lon: number, lat: number): Promise<Street | undefined> {
  const { items } = await api.get<{ items: Street[] }>('roads/streets', { lon: lon.toFixed(6), lat: lat.toFixed(6), limit: 1 })
  return items[0]
}

/** Those of some ids that may be seen here; told is called for each lot of them. */
export async function streetsNamed(ids: readonly string[], told: (found: Street[]) => void): Promise<void> {
  for (let n = 0; n < ids.length; n += AT_ONCE) {
    const { items } = await api.get<{ items: Street[] }>('roads/streets', { street: ids.slice(n, n + AT_ONCE).join(','), limit: AT_ONCE })
    told(items)
  }
}
