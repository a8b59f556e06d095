export const others = {};
