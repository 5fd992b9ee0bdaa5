import { type CSSVariablesResolver, createTheme, type MantineColorsTuple } from '@mantine/core';

/** Chalkboard green: what a person acts on. Shade 7 on white has a contrast of 6.6, white on shade 7 the same. */
const board: MantineColorsTuple = [
  '#eef6f2',
  '#dcebe4',
  '#b8d8ca',
  '#8ec3ad',
  '#67ac92',
  '#45977a',
  '#2c8267',
  '#1c6854',
  '#165545',
  '#0f4336',
];

/** Brass of the bell: unread marks, raised hands, the live lesson. Never a text colour on white. */
const brass: MantineColorsTuple = [
  '#fff8e8',
  '#fdeecb',
  '#fbdf9f',
  '#f8cd6d',
  '#f5b83d',
  '#eba61f',
  '#cf8a0c',
  '#a76d08',
  '#80530a',
  '#5f3e0b',
];

/** Warm greys of paper, so that white cards lie on something. */
const gray: MantineColorsTuple = [
  '#faf7f1',
  '#f4efe6',
  '#eae3d7',
  '#ddd4c5',
  '#c6bcab',
  '#a2988a',
  '#7a7166',
  '#5f574d',
  '#443e37',
  '#2b2723',
];

const dark: MantineColorsTuple = [
  '#e9e6df',
  '#c6c7c0',
  '#a3a9a2',
  '#7f8781',
  '#5a645e',
  '#3c4641',
  '#2b3430',
  '#1e2522',
  '#151a18',
  '#0f1312',
];

const red: MantineColorsTuple = [
  '#fdf1ee',
  '#fae0da',
  '#f3bdb2',
  '#ea9686',
  '#e0735f',
  '#d65a44',
  '#c2412c',
  '#a83522',
  '#8a2c1d',
  '#6c2318',
];

export const theme = createTheme({
  primaryColor: 'board',
  primaryShade: { light: 7, dark: 6 },
  colors: { board, brass, gray, dark, red },
  black: '#26221d',
  fontFamily: "'Onest', system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif",
  headings: {
    fontFamily: "'Onest', system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif",
    fontWeight: '650',
    textWrap: 'balance',
    sizes: {
      h1: { fontSize: '1.75rem', lineHeight: '1.2' },
      h2: { fontSize: '1.375rem', lineHeight: '1.25' },
      h3: { fontSize: '1.125rem', lineHeight: '1.3' },
      h4: { fontSize: '1rem', lineHeight: '1.4' },
      h5: { fontSize: '0.9375rem', lineHeight: '1.4' },
      h6: { fontSize: '0.875rem', lineHeight: '1.4' },
    },
  },
  fontSizes: { xs: '0.8125rem', sm: '0.9375rem', md: '1rem', lg: '1.125rem', xl: '1.375rem' },
  lineHeights: { xs: '1.4', sm: '1.45', md: '1.5', lg: '1.5', xl: '1.4' },
  radius: { xs: '6px', sm: '8px', md: '12px', lg: '16px', xl: '24px' },
  defaultRadius: 'md',
  shadows: {
    xs: '0 1px 2px rgb(var(--z-shadow) / 6%)',
    sm: '0 1px 2px rgb(var(--z-shadow) / 5%), 0 2px 8px rgb(var(--z-shadow) / 5%)',
    md: '0 2px 6px rgb(var(--z-shadow) / 6%), 0 8px 24px rgb(var(--z-shadow) / 8%)',
    lg: '0 4px 12px rgb(var(--z-shadow) / 8%), 0 16px 40px rgb(var(--z-shadow) / 12%)',
    xl: '0 8px 20px rgb(var(--z-shadow) / 10%), 0 24px 64px rgb(var(--z-shadow) / 16%)',
  },
  cursorType: 'pointer',
  respectReducedMotion: true,
  components: {
    InputWrapper: { styles: { label: { fontSize: '0.9375rem', fontWeight: 550, marginBottom: 5 } } },
    // A button never gives up a part of its words: it keeps its width, and where there is none breaks its line.
    Button: {
      defaultProps: { size: 'md' },
      styles: {
        root: {
          flexShrink: 0,
          maxWidth: '100%',
          height: 'auto',
          minHeight: 'var(--button-height)',
          paddingBlock: 4,
          fontWeight: 600,
        },
        // Of a link, too, the words stand in the middle: its least height, less what surrounds it.
        inner: { height: 'auto', minHeight: 'calc(var(--button-height) - 10px)' },
        label: { whiteSpace: 'normal', lineHeight: 1.25 },
      },
    },
    TextInput: { defaultProps: { size: 'md' } },
    Textarea: { defaultProps: { size: 'md' } },
    Select: { defaultProps: { size: 'md' } },
    NativeSelect: { defaultProps: { size: 'md' } },
    NumberInput: { defaultProps: { size: 'md' } },
    ActionIcon: { defaultProps: { variant: 'subtle', color: 'gray', size: 44, radius: 'md' } },
    Tooltip: { defaultProps: { openDelay: 400, withArrow: false, radius: 'sm' } },
    Modal: {
      defaultProps: { centered: true, radius: 'lg', padding: 'lg' },
      styles: { title: { fontSize: '1.1875rem', fontWeight: 650, lineHeight: 1.3 } },
    },
    Drawer: { styles: { title: { fontSize: '1.125rem', fontWeight: 650 } } },
    Menu: { styles: { item: { padding: '10px 12px', fontSize: '0.9375rem', borderRadius: '10px' } } },
    Paper: { defaultProps: { radius: 'lg' } },
  },
});

/** The surfaces that every screen is made of, in both schemes. */
export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-body': '#ffffff',
    '--mantine-color-dimmed': '#6f665b',
    '--mantine-color-placeholder': '#8a8073',
    '--mantine-color-default-border': '#e3dacb',
    '--z-shadow': '60 45 20',
    '--z-page': '#faf7f1',
    '--z-panel': '#ffffff',
    '--z-line': '#ebe4d8',
    '--z-hover': '#f5f0e7',
    '--z-selected': '#e6f0ea',
    '--z-own': '#dcece3',
    '--z-own-text': '#1d2f28',
    '--z-other': '#ffffff',
    '--z-link': '#165545',
  },
  dark: {
    '--mantine-color-body': '#1e2522',
    '--mantine-color-dimmed': '#a3a9a2',
    '--mantine-color-placeholder': '#7f8781',
    '--mantine-color-default-border': '#3c4641',
    '--mantine-color-text': '#e9e6df',
    '--mantine-color-error': '#f0a394',
    '--z-shadow': '0 0 0',
    '--mantine-color-board-light': '#25433a',
    '--mantine-color-board-light-hover': '#2c5045',
    '--mantine-color-board-light-color': '#c4e2d6',
    '--mantine-color-red-light': '#472a24',
    '--mantine-color-red-light-hover': '#55322a',
    '--mantine-color-red-light-color': '#f6c4b9',
    '--mantine-color-brass-light': '#43361a',
    '--mantine-color-brass-light-color': '#fbdf9f',
    '--z-page': '#151a18',
    '--z-panel': '#1e2522',
    '--z-line': '#2b3430',
    '--z-hover': '#262e2a',
    '--z-selected': '#25392f',
    '--z-own': '#23473b',
    '--z-own-text': '#e6f1ec',
    '--z-other': '#262e2a',
    '--z-link': '#8ec3ad',
  },
});
