import { Socket } from 'node:net'

/** Stories need no network: whoever connects anyway fails, and the story with it. */
Socket.prototype.connect = () => {
  throw new Error('a story tried to open a network connection')
}
