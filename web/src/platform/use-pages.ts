import { useCallback, useEffect, useRef, useState } from 'react';

/** A page as a screen reads it: its items, and whatever the answer says besides. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly hasMore: boolean;
}

/**
 * A list that comes in pages, read at once, anew, and on. `ask` answers the page after an item, or the first; it must be
 * stable: another one is another list. An answer to an older question is not shown.
 *
 * `keeps`: another list leaves the items of the last one until it has come, as words in a search do while they are typed.
 */
export function usePages<Item, Answer extends Page<Item>>(
  ask: (after?: Item) => Promise<Answer>,
  { keeps = false }: { readonly keeps?: boolean } = {},
) {
  const [items, setItems] = useState<readonly Item[]>();
  const [answer, setAnswer] = useState<Answer>();
  const [problem, setProblem] = useState<unknown>();
  const asked = useRef(0);

  const read = useCallback(
    async (after?: Item) => {
      asked.current += 1;
      const question = asked.current;
      setProblem(undefined);
      try {
        const page = await ask(after);
        if (question !== asked.current) return;
        setAnswer(page);
        setItems((known) => (after === undefined ? page.items : [...(known ?? []), ...page.items]));
      } catch (error) {
        if (question === asked.current) setProblem(error);
      }
    },
    [ask],
  );
  const reload = useCallback(() => read(), [read]);

  useEffect(() => {
    if (!keeps) setItems(undefined);
    void read();
    return () => {
      asked.current += 1;
    };
  }, [read, keeps]);

  return {
    /** Undefined until they have come. */
    items,
    setItems,
    /** The newest answer, also while another list is on its way. */
    answer,
    hasMore: items !== undefined && answer?.hasMore === true,
    problem,
    /** Begins at the first page again. */
    reload,
    more: () => read(items?.at(-1)),
  };
}
