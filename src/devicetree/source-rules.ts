/** What can be wrong with device-tree source text, by the name its findings carry. */
export const sourceRules = {
  'dts-syntax': 'the text does not follow the grammar of device-tree source',
  'dts-version': 'a source begins with /dts-v1/;',
  'dts-unclosed': 'a string, a comment or a character literal has no end',
  'dts-escape': 'an escape sequence stands for no character',
  'dts-number': 'a number has digits its base does not, or needs more than 64 bits',
  'dts-character': 'a character literal holds exactly one byte',
  'dts-line-marker': 'a line marker names a file',
  'dts-preprocessor': 'text that needs the C preprocessor has not been through it',
  'dts-include-missing': 'an included file cannot be read',
  'dts-include-cycle': 'a file includes itself',
  'dts-include-depth': 'too many files are included',
  'dts-incbin-range': 'an included binary has fewer bytes than are asked for',
  'dts-too-deep': 'nodes or parentheses are nested too deeply',
  'dts-value-range': 'a number does not fit its array element',
  'dts-bits': 'an array element has 8, 16, 32 or 64 bits',
  'dts-reference-size': 'a reference needs an array element of 32 bits',
  'dts-division-by-zero': 'an expression divides by zero',
  'dts-property-order': 'the properties of a node come before its children',
  'dts-unknown-label': 'a reference names a label that no node has',
  'dts-unknown-path': 'a reference names a path where no node is',
  'dts-duplicate-label': 'a label names one thing',
  'dts-duplicate-node': 'a node is defined once in a body',
  'dts-duplicate-property': 'a property is given once in a body',
  'dts-node-name': 'the name of a node has a character it may not have',
  'dts-property-name': 'the name of a property has a character it may not have',
  'dts-name-property': "a property 'name' repeats the node's name",
  'dts-phandle': 'a phandle is one cell, unique, and neither 0 nor 0xffffffff',
  'dts-delete-root': 'the root cannot be deleted',
} as const;

/** The name of a rule of device-tree source. */
export type SourceRule = keyof typeof sourceRules;
