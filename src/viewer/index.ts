/**
 * The page of a bundle or a run: one HTML file that opens from disk and shows what was recorded. It is given what it shows
 * and knows neither the engine nor where bundles lie. `page` holds what runs in the browser; `npm run page` puts it, bundled,
 * into `shell.ts`.
 */
export type {
  ContentName,
  PageArtifact,
  PageContent,
  PageFact,
  PageSession,
  PageText,
  PageVersion,
} from './content.ts'
export { renderPage, type RenderedPage } from './render-page.ts'
export type { ShownService, ShownWorkflow } from './service-data.ts'
export { servicePage } from './service-page.ts'
