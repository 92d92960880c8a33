import { expect, it } from 'vitest';

import { instance } from '../testing/apps';
import { titleOf } from './titles';

const FILE = 'vscode-remote://remote/home/me/data%20of%20%27May%27%20%28%C5%BE%29.txt';
const payload = (value: unknown): string =>
  `&payload=${encodeURIComponent(JSON.stringify(value))}`;

it.each([
  ['vscode/', 'VS Code'],
  ['vscode/?folder=%2Fhome%2Fme%2Fmy%20work', 'VS Code: my work'],
  ['vscode/?folder=%2F', 'VS Code: /'],
  [
    `vscode/?folder=%2Fhome${payload([['openFile', FILE]])}`,
    "VS Code: data of 'May' (ž).txt"
  ],
  [`vscode/?folder=%2Fhome${payload([['else', 'x']])}`, 'VS Code: home'],
  [`vscode/?folder=%2Fhome${payload(7)}`, 'VS Code: home'],
  ['vscode/?payload=%7B', 'VS Code']
])('names what is shown at %s', (url, title) => {
  expect(titleOf(instance(), url)).toBe(title);
});
