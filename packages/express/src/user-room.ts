/** Room of all sockets of a user. */
export function userRoom(id: string | number): string {
  return `plugboard:user:${id}`;
}
