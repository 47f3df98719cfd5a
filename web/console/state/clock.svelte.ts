// The post's time, once a second, for clocks and ages on screen.
import { live } from '@lib/live.svelte'

class Clock {
  now = $state(Date.now())

  start(): () => void {
    const timer = setInterval(() => (this.now = live.now()), 1000)
    this.now = live.now()
    return () => clearInterval(timer)
  }
}

export const clock = new Clock()
