import { expect, it } from 'vitest';

import { app } from '../testing/apps';
import { selectorsOf, targetOf } from './selected';

const FOLDER = { type: 'directory', path: 'runs' };
const NOTEBOOK = { type: 'notebook', path: 'work/train.ipynb' };
const SCRIPT = { type: 'file', path: 'work/Fit.R' };

it('opens folders and files themselves', () => {
  expect(targetOf(app(), FOLDER)).toEqual({ path: 'runs', isItem: true });
  expect(targetOf(app(), NOTEBOOK)).toEqual({ path: 'work/train.ipynb', isItem: true });
});

it('opens files of its kinds, however their names are written', () => {
  const rstudio = app({ file_suffixes: ['.r', '.rproj'] });
  expect(targetOf(rstudio, SCRIPT)).toEqual({ path: 'work/Fit.R', isItem: true });
  expect(targetOf(rstudio, { type: 'file', path: 'a.txt' })).toBeNull();
  expect(targetOf(rstudio, { type: 'file', path: 'r' })).toBeNull();
});

it('takes a notebook for its folder where it opens only folders', () => {
  const tensorboard = app({ opens_files: false });
  expect(targetOf(tensorboard, NOTEBOOK)).toEqual({ path: 'work', isItem: false });
  expect(targetOf(tensorboard, { type: 'notebook', path: 'a.ipynb' })).toEqual({
    path: '',
    isItem: false
  });
  expect(targetOf(tensorboard, SCRIPT)).toBeNull();
});

it('leaves alone what it cannot open', () => {
  const terminal = app({ opens_files: false, opens_folders: false });
  expect(targetOf(terminal, FOLDER)).toBeNull();
  expect(targetOf(terminal, NOTEBOOK)).toBeNull();
  expect(selectorsOf(terminal)).toEqual([]);
});

it('has one entry for whatever is under the pointer', () => {
  const both = selectorsOf(app({ file_suffixes: ['.r'] }));
  expect(both).toEqual([
    '.jp-DirListing-item[data-isdir="false"]',
    '.jp-DirListing-item[data-isdir="true"]'
  ]);
  expect(selectorsOf(app({ opens_files: false }))).toEqual([
    '.jp-DirListing-item[data-file-type="notebook"]',
    '.jp-DirListing-item[data-isdir="true"]'
  ]);
});
