// ask.js — asks this product's own backend. The cookie says who is asking.

export class Refused extends Error {
    constructor(where, status)
    {
        super(`${where} answered ${status}`);
        this.status = status;
    }
}

export async function ask(method, where, body)
{
    const answer = await fetch(where, { method, headers: body && { "content-type": "application/json" }, body: body && JSON.stringify(body) });
    if (!answer.ok) throw new Refused(where, answer.status);
    return answer.json();
}

export const post = (where, body = {}) => ask("POST", where, body);
