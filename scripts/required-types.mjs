// Types of what `require()` returns: a function that has the names of a package as its members, types included.
import { readFile, writeFile } from "node:fs/promises";
import ts from "typescript";

/**
 * Lets `import io = require("socket.io")` say `io.Socket` for a type. Compilers take what a declaration file exports as
 * "module.exports" for what `require()` returns, and look for types in a namespace of its name: here it gets one, with
 * an alias of each type that the file exports. Other files stay as they are.
 *
 * Generated, for in source each type parameter would have to be written down a second time.
 *
 * @param files declaration files
 */
export async function addRequiredTypes(files) {
  const options = { module: ts.ModuleKind.NodeNext, noLib: true, types: [] };
  const program = ts.createProgram(files, options);
  for (const file of files) {
    const added = namespaceOf(program.getSourceFile(file), program.getTypeChecker());
    if (added) await writeFile(file, `${await readFile(file, "utf8")}\n${added}`);
  }
}

/** @returns the text to add to a file, or undefined when it exports nothing for `require()` */
function namespaceOf(source, checker) {
  const names = exportedNames(source);
  const required = names.get("module.exports");
  if (required === undefined) return undefined;
  const inScope = new Map(
    checker
      .getSymbolsInScope(source, ts.SymbolFlags.Type | ts.SymbolFlags.Alias)
      .map((symbol) => [symbol.name, symbol]),
  );
  const typeOf = (name, local) => {
    const symbol = resolved(inScope.get(local), checker);
    if (symbol === undefined || !(symbol.flags & ts.SymbolFlags.Type)) return [];
    const parameters = typeParametersOf(symbol);
    const check = (node) => checkName(node, inScope, parameters, checker, name);
    for (const parameter of parameters) forEachTypeName(parameter, check);
    const declared = parameters.map((parameter) => parameter.getText()).join(", ");
    const used = parameters.map((parameter) => parameter.name.text).join(", ");
    const inBrackets = (list) => (list ? `<${list}>` : "");
    const alias = `type Required_${name}${inBrackets(declared)} = ${local}${inBrackets(used)};`;
    const exported = [...(symbol.exports?.values() ?? [])].filter(({ flags }) => flags & ts.SymbolFlags.Type);
    const inner = exported.map(({ name: type }) => `  type ${type} = ${local}.${type};`);
    if (inner.length === 0) return [alias];
    return [alias, `declare namespace Required_${name} {`, ...inner, "}"];
  };
  const lines = [];
  const members = [];
  for (const [name, local] of names) {
    const declarations = typeOf(name, local);
    lines.push(...declarations);
    if (declarations.length > 0) members.push(`type Required_${name} as ${name}`);
  }
  return `${lines.join("\n")}\ndeclare namespace ${required} {\n  export { ${members.join(", ")} };\n}\n`;
}

/** What each exported name is called in the file. The build writes one list of all, at the end. */
function exportedNames(source) {
  const names = new Map();
  for (const statement of source.statements) {
    if (!ts.isExportDeclaration(statement) || statement.moduleSpecifier !== undefined) continue;
    for (const { name, propertyName } of statement.exportClause.elements)
      names.set(name.text, (propertyName ?? name).text);
  }
  return names;
}

function resolved(symbol, checker) {
  return symbol && symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
}

function typeParametersOf(symbol) {
  return symbol.declarations?.find((declaration) => declaration.typeParameters)?.typeParameters ?? [];
}

function forEachTypeName(node, visit) {
  if (ts.isTypeReferenceNode(node) && ts.isIdentifier(node.typeName)) visit(node.typeName);
  node.forEachChild((child) => forEachTypeName(child, visit));
}

/** A bound or default of a type parameter may come from another file: it has to mean the same where it is repeated. */
function checkName(node, inScope, parameters, checker, name) {
  if (parameters.some((parameter) => parameter.name.text === node.text)) return;
  const meant = resolved(checker.getSymbolAtLocation(node), checker);
  if (meant !== undefined && resolved(inScope.get(node.text), checker) === meant) return;
  throw new Error(`the type parameters of ${name} say ${node.text}, which its entry file does not know`);
}
