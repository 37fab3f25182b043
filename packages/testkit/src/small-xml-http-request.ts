/** What a polling client uses of `XMLHttpRequest`, over `fetch`: for hosts without one. */
export class SmallXMLHttpRequest {
  readyState = 0;
  status = 0;
  responseText = "";
  timeout = 0;
  withCredentials = false;
  onreadystatechange: (() => void) | null = null;
  readonly #headers = new Headers();
  readonly #controller = new AbortController();
  #method = "";
  #url = "";

  open(method: string, url: string): void {
    this.#method = method;
    this.#url = url;
    this.#become(1);
  }

  setRequestHeader(name: string, value: string): void {
    this.#headers.append(name, value);
  }

  send(body: string | null): void {
    if (this.timeout > 0) setTimeout(() => this.abort(), this.timeout).unref();
    fetch(this.#url, { method: this.#method, headers: this.#headers, body, signal: this.#controller.signal })
      .then(async (response) => {
        this.responseText = await response.text();
        this.status = response.status;
      })
      .catch(() => {
        this.status = 0;
      })
      .finally(() => this.#become(4));
  }

  abort(): void {
    this.#controller.abort();
  }

  #become(state: number): void {
    this.readyState = state;
    this.onreadystatechange?.();
  }
}
