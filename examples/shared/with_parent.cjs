// with_parent.cjs — loaded into each backend by start.mjs: who is started by a program ends with it, however that ended.
process.once("disconnect", () => process.exit(0));
