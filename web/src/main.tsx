import './platform/mantine.css';
import './platform/global.css';
import { MantineProvider } from '@mantine/core';
import { Notifications } from '@mantine/notifications';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { BrowserRouter } from 'react-router';
import { App } from './app.tsx';
import { client } from './platform/client.ts';
import { ErrorBoundary } from './platform/error-boundary.tsx';
import { startI18n } from './platform/i18n.ts';
import { MembershipProvider } from './platform/membership.tsx';
import { cssVariables, theme } from './platform/theme.ts';

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no #root');

void client.start();
await startI18n();

createRoot(root).render(
  <StrictMode>
    <MantineProvider theme={theme} cssVariablesResolver={cssVariables} defaultColorScheme="auto">
      <Notifications position="top-center" limit={3} />
      <ErrorBoundary>
        <BrowserRouter>
          <MembershipProvider>
            <App />
          </MembershipProvider>
        </BrowserRouter>
      </ErrorBoundary>
    </MantineProvider>
  </StrictMode>,
);
