/* fake-windows.ts — windows that post to each other as browsers do: a message arrives a turn later, as a copy, with the sender's
 * origin and window, and only if the receiver's origin is the one it was meant for. */
import type { Heard, Post } from "../embed/envelope.js";

export interface Posted {
    readonly from: string;
    readonly to: string;
    readonly targetOrigin: string;
    readonly data: Readonly<Record<string, unknown>>;
}

export class FakeWindow {
    readonly posted: Posted[];
    readonly #hearers = new Set<(event: Heard) => void>();
    #ways = new Map<FakeWindow, Post>();

    constructor(public origin: string, readonly log: Posted[] = [])
    {
        this.posted = log;
    }

    readonly listen = (hear: (event: Heard) => void): (() => void) => {
        this.#hearers.add(hear);
        return () => { this.#hearers.delete(hear); };
    };

    get listeners(): number { return this.#hearers.size; }

    /** This window as the other one sees it. The same object each time, which is what `event.source` is compared with. */
    seenBy(other: FakeWindow): Post
    {
        const known = this.#ways.get(other);
        if (known) return known;
        const way: Post = { postMessage: (message, targetOrigin) => {
            const data = structuredClone(message) as Posted["data"];
            this.log.push({ from: other.origin, to: this.origin, targetOrigin, data });
            queueMicrotask(() => {
                if (targetOrigin === this.origin || targetOrigin === "*") this.deliver({ data, origin: other.origin, source: other.seenBy(this) });
            });
        } };
        this.#ways.set(other, way);
        return way;
    }

    /** Any event, also one that no honest window would send. */
    deliver(event: Heard): void { for (const hear of [...this.#hearers]) hear(event); }
}

/** As much of a page as a host needs: one container, and elements that remember what was done to them. */
export class FakeElement {
    readonly attributes: Record<string, string> = {};
    readonly style: Record<string, string> = {};
    readonly children: FakeElement[] = [];
    clientWidth = 300;
    clientHeight = 200;
    textContent = "";
    src = "";
    contentWindow: Post | null = null;
    parent: FakeElement | undefined;
    onload: () => void = () => {};

    constructor(readonly tag: string) {}

    setAttribute(name: string, value: string): void { this.attributes[name] = value; }
    addEventListener(_: "load", run: () => void): void { this.onload = run; }
    append(...elements: FakeElement[]): void { for (const one of elements) { one.parent = this; this.children.push(one); } }
    remove(): void { this.parent?.children.splice(this.parent.children.indexOf(this), 1); this.parent = undefined; }
    querySelector(): FakeElement | undefined { return this.children.find(({ attributes }) => "data-coatcheck-error" in attributes); }
}
