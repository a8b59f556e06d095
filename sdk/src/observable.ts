/* observable.ts — values over time, as small as they can be and still work with RxJS: `from(client.ready$)`, because each carries
 * the interop method under the name that libraries agree on.
 *
 * A Topic is the side that speaks; only what implements Observable is handed out. A topic that has a value tells it to each
 * newcomer at once. An observer that throws disturbs neither the others nor us: its error is reported as the browser reports
 * any other. */

export interface Observer<T> {
    next?(value: T): void;
    error?(error: unknown): void;
    complete?(): void;
}

export interface Subscription {
    unsubscribe(): void;
}

declare global {
    interface SymbolConstructor {
        readonly observable: symbol; // as RxJS and others declare it
    }
}

export interface Observable<T> {
    [Symbol.observable]: () => Observable<T>;
    subscribe(observer?: Observer<T> | ((value: T) => void) | null): Subscription;
}

export class Topic<T> implements Observable<T> {
    value: T | undefined;
    declare [Symbol.observable]: () => this; // under its other name below
    readonly #observers = new Set<Observer<T>>();
    readonly #replays: boolean;
    #isOver = false;

    /** replays false: newcomers hear only what comes after them. */
    constructor(first?: T, replays = true)
    {
        this.value = first;
        this.#replays = replays;
    }

    next(value: T): void
    {
        if (this.#isOver) return;
        if (this.#replays) this.value = value;
        for (const observer of [...this.#observers]) guard(() => observer.next?.(value));
    }

    /** The same, unless nothing has changed. */
    set(value: T): void
    {
        if (this.value !== value) this.next(value);
    }

    complete(): void
    {
        this.#isOver = true;
        for (const observer of this.#observers) guard(() => observer.complete?.());
        this.#observers.clear();
    }

    subscribe(observer?: Observer<T> | ((value: T) => void) | null): Subscription
    {
        const one: Observer<T> = typeof observer === "function" ? { next: observer } : Object.create(observer ?? null); // the same may come twice
        const { value } = this;
        if (value !== undefined) guard(() => one.next?.(value));
        if (this.#isOver) guard(() => one.complete?.());
        else this.#observers.add(one);
        return { unsubscribe: () => { this.#observers.delete(one); } };
    }

    ["@@observable"](): this { return this; }
}

/** Runs what is the page's: what it throws is reported as the browser reports any other, and disturbs nobody. */
export function guard(body: () => void): void
{
    try {
        body();
    } catch (error) {
        queueMicrotask(() => { throw error; });
    }
}
