import { Passkeys } from '../accounts/passkey-list.tsx';
import classes from './operator.module.css';

/** The operator's own passkeys: whoever is a member of no school has no settings to find them in. */
export function OperatorPasskeys() {
  return (
    <div className={classes.narrow}>
      <Passkeys />
    </div>
  );
}
