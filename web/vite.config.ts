import react from '@vitejs/plugin-react';
import mantinePreset from 'postcss-preset-mantine';
import { defineConfig } from 'vite';
import { VitePWA } from 'vite-plugin-pwa';

/** Where `vite dev` finds a server that was started beside it. */
const backend = process.env.ZVONOK_URL ?? 'http://127.0.0.1:3000';

export default defineConfig({
  plugins: [
    react(),
    VitePWA({
      // The person is asked, because a reload in the middle of a lesson or of an unsent message would hurt.
      registerType: 'prompt',
      // Registered from the bundle: the content security policy allows no inline script.
      injectRegister: null,
      includeAssets: ['icons/bell.svg', 'icons/apple-touch-icon.png'],
      manifest: {
        id: '/',
        name: 'Звонок',
        short_name: 'Звонок',
        description: 'Закрытое школьное пространство: чаты, уроки, объявления',
        lang: 'ru',
        dir: 'ltr',
        start_url: '/',
        scope: '/',
        display: 'standalone',
        background_color: '#faf7f1',
        theme_color: '#1c6854',
        categories: ['education', 'communication'],
        icons: [
          { src: '/icons/icon-192.png', sizes: '192x192', type: 'image/png' },
          { src: '/icons/icon-512.png', sizes: '512x512', type: 'image/png' },
          { src: '/icons/maskable-512.png', sizes: '512x512', type: 'image/png', purpose: 'maskable' },
        ],
      },
      workbox: {
        // The shell alone. No runtime caching at all: neither API replies nor anybody's content is ever kept here.
        globPatterns: ['**/*.{js,css,html,woff2}'],
        runtimeCaching: [],
        navigateFallback: '/index.html',
        // Whatever the server answers itself must never be shadowed by the shell.
        navigateFallbackDenylist: [
          /^\/api\//,
          /^\/socket\.io/,
          /^\/media\//,
          /^\/healthz/,
          /^\/docs/,
          /^\/metrics/,
        ],
        cleanupOutdatedCaches: true,
        clientsClaim: false,
      },
    }),
  ],
  css: { postcss: { plugins: [mantinePreset()] } },
  build: {
    // Phones that schools really have: four-year-old browsers.
    target: ['chrome107', 'edge107', 'firefox104', 'safari16'],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: true,
  },
  server: {
    proxy: {
      '/api': { target: backend },
      '/healthz': { target: backend },
      '/socket.io': { target: backend, ws: true },
      '/media': { target: backend, ws: true },
    },
  },
});
