// A view's lifetime: what it listens to, repeats and fetches ends with it.

import { subscribe } from "./store.js";

export class Scope {
  #ends = [];
  #aborter = new AbortController();

  get signal() {
    return this.#aborter.signal;
  }

  on(topic, fn) {
    this.#ends.push(subscribe(topic, fn));
  }

  listen(target, type, fn, options = {}) {
    target.addEventListener(type, fn, { ...options, signal: this.signal });
  }

  every(ms, fn) {
    const timer = setInterval(fn, ms);
    this.#ends.push(() => clearInterval(timer));
  }

  // soon returns a function that calls fn once after ms, however often it is called meanwhile.
  soon(ms, fn) {
    let timer = 0;
    this.#ends.push(() => clearTimeout(timer));
    return () => {
      if (timer) return;
      timer = setTimeout(() => {
        timer = 0;
        fn();
      }, ms);
    };
  }

  // resized calls fn when the size of a node changes.
  resized(node, fn) {
    const observer = new ResizeObserver(() => fn());
    observer.observe(node);
    this.#ends.push(() => observer.disconnect());
  }

  end(fn) {
    this.#ends.push(fn);
  }

  close() {
    this.#aborter.abort();
    for (const end of this.#ends.splice(0)) end();
  }
}
