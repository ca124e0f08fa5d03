// A file on its way in pieces (tus 1.0): what breaks off goes on where it ended, also after the page was loaded again.

const PREFIX = "encoder-upload:";
const TRIES = 8; // of which none brought a byte
const LONGEST_PAUSE_MS = 15_000;
const SILENT_MS = 45_000; // longer than the server waits
const LOOK_MS = 500; // between two looks at the speed
const PASSING = new Set([0, 408, 409, 423, 429]); // what another try may make good; 0: no answer
const VERSION = { "Tus-Resumable": "1.0.0" };

class Refused extends Error {
  constructor(status, text = "") {
    super(said(text) || "The server does not answer.");
    this.passes = PASSING.has(status) || (status >= 500 && status !== 507);
  }
}

/** Files of which a part is here, by what this tab remembers: `{name, size}`. */
export function unfinished() {
  return Object.keys(sessionStorage).filter((key) => key.startsWith(PREFIX)).map((key) => JSON.parse(sessionStorage[key]));
}

/**
 * `folder`: where uploads are announced. `told` is called with `{sent, total, rate, left, waits}`: bytes, bytes a second,
 * seconds; `waits`: the connection is broken, and tried again.
 */
export class Upload {
  #key; #folder; #told; #request = null; #stopped = false; #address = null;
  #rate = 0; #seen = { at: 0, sent: 0 };
  constructor(file, folder, told) {
    this.file = file;
    this.#folder = folder;
    this.#told = told;
    this.#key = `${PREFIX}${file.name}:${file.size}:${file.lastModified}`;
  }

  /** Brings it, or the rest of it. Its id once all is here; null when it was stopped. Throws what it was refused with. */
  async run() {
    this.#stopped = false;
    let { fileId, offset } = await this.#begin();
    let failures = 0;
    while (offset < this.file.size && !this.#stopped) {
      const before = offset;
      try {
        if (failures) offset = await this.#offset();
        if (offset < this.file.size) offset = await this.#send(offset);
        failures = 0;
      } catch (broken) {
        failures = offset > before ? 1 : failures + 1;
        if (this.#stopped) break;
        if (!broken.passes || failures > TRIES) throw broken;
        this.#report(offset, true);
        await this.#pause(failures);
      }
    }
    if (offset < this.file.size) return null;
    sessionStorage.removeItem(this.#key);
    return fileId;
  }

  /** Sends no more; what is here stays, and `run` goes on with it. */
  stop() {
    this.#stopped = true;
    this.#request?.abort();
  }

  /** Stops, and has what is here removed. */
  async giveUp() {
    this.stop();
    sessionStorage.removeItem(this.#key);
    if (this.#address) await fetch(this.#address, { method: "DELETE", headers: VERSION, keepalive: true }).catch(() => null);
  }

  async #begin() {
    const known = JSON.parse(sessionStorage.getItem(this.#key));
    if (known) {
      this.#address = known.address;
      const offset = await this.#offset().catch((gone) => { if (gone.passes) throw gone; });
      if (offset !== undefined) return { fileId: known.fileId, offset }; // or it is too old by now
    }
    const told = { file_name: this.file.name, size_bytes: this.file.size };
    const headers = { "Content-Type": "application/json" };
    const answer = await this.#ask(this.#folder, { method: "POST", body: JSON.stringify(told), headers });
    const { fileId, address } = await answer.json();
    this.#address = address;
    sessionStorage.setItem(this.#key, JSON.stringify({ fileId, address, name: this.file.name, size: this.file.size }));
    return { fileId, offset: 0 };
  }

  async #offset() {
    const answer = await this.#ask(this.#address, { method: "HEAD", headers: VERSION });
    return Number(answer.headers.get("Upload-Offset"));
  }

  async #ask(address, settings) {
    const answer = await fetch(address, settings).catch(() => null);
    if (answer?.ok) return answer;
    throw new Refused(answer?.status ?? 0, await answer?.text());
  }

  /** All that is left, as one piece: only XMLHttpRequest tells how much of it has gone. How much is here then. */
  #send(offset) {
    const request = this.#request = new XMLHttpRequest();
    let heard = performance.now();
    const watch = setInterval(() => { if (performance.now() - heard > SILENT_MS) request.abort(); }, 1000);
    this.#seen = { at: heard, sent: offset };
    return new Promise((resolve, reject) => {
      request.upload.onprogress = (event) => {
        heard = performance.now();
        this.#report(offset + event.loaded, false);
      };
      request.onloadend = () => {
        clearInterval(watch);
        if (request.status === 204) resolve(Number(request.getResponseHeader("Upload-Offset")));
        else reject(new Refused(request.status, request.responseText));
      };
      request.open("PATCH", this.#address);
      const told = { ...VERSION, "Content-Type": "application/offset+octet-stream", "Upload-Offset": offset };
      for (const [name, value] of Object.entries(told)) request.setRequestHeader(name, value);
      request.send(this.file.slice(offset));
    });
  }

  #report(sent, waits) {
    const now = performance.now(), seconds = (now - this.#seen.at) / 1000;
    if (!waits && seconds * 1000 > LOOK_MS) {
      const rate = (sent - this.#seen.sent) / seconds;
      this.#rate = this.#rate ? 0.7 * this.#rate + 0.3 * rate : rate;
      this.#seen = { at: now, sent };
    }
    const total = this.file.size;
    this.#told({ sent, total, rate: this.#rate, left: this.#rate ? (total - sent) / this.#rate : null, waits });
  }

  /** Longer after each failure, and over as soon as there is a network again. */
  #pause(failures) {
    const longest = Math.min(LONGEST_PAUSE_MS, 500 * 2 ** (failures - 1));
    return new Promise((resolve) => {
      setTimeout(resolve, longest * (0.5 + Math.random() / 2));
      addEventListener("online", resolve, { once: true });
    });
  }
}

/** What is wrong, in the words of a problem; nothing where a proxy answers in its own. */
function said(text) {
  try {
    const problem = JSON.parse(text);
    return problem.errors?.[0]?.message ?? problem.detail;
  } catch {
    return null;
  }
}
