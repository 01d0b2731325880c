/**
 * The user that PostgreSQL runs as: it refuses root, so root gives its privileges up for the child.
 *
 * @module
 */

export interface ChildUser {
  readonly uid: number;
  readonly gid: number;
  readonly name: string;
  /** For messages: `user "nobody" (uid 65534)`. */
  readonly label: string;
  /** Whether that is another user than ours. */
  readonly dropsPrivileges: boolean;
  /** To be spread into the options of `Deno.Command`. */
  readonly asChild: { readonly uid?: number; readonly gid?: number };
}

/** The user that config/systemd/bigbrotr.sysusers makes. */
export const OWN_USER = "bigbrotr";

/** The user that programs run as that nobody made a user for: it can be several at once. */
export const SHARED_USER = "nobody";

/** Users to run it when there is no cluster yet: one made for it, or one with no rights at all. */
const UNPRIVILEGED = [OWN_USER, SHARED_USER];

/**
 * Ourselves, unless we are root: then the owner of the cluster that is there, else the user `bigbrotr` if there is one,
 * else `nobody`.
 *
 * @throws Error when the cluster belongs to somebody else, and we cannot become them.
 */
export async function chooseChildUser(cluster: string): Promise<ChildUser> {
  const self = Deno.uid() ?? 0;
  const owner = await ownerOf(cluster);
  if (owner !== null && owner.uid !== 0) {
    if (self === 0) return await userOf(owner.uid, owner.gid);
    if (owner.uid !== self) throw await notOurs(cluster, owner.uid);
  }
  if (self !== 0) return await userOf(self, Deno.gid() ?? self);
  for (const name of UNPRIVILEGED) {
    const uid = await id("-u", name);
    const gid = await id("-g", name);
    if (uid !== null && gid !== null) {
      return await userOf(Number(uid), Number(gid));
    }
  }
  throw new Error(
    "Cannot run the embedded PostgreSQL: it refuses root, and there is no user to run it as. " +
      "Create one (useradd --system bigbrotr), or use a server: --database URL",
  );
}

async function userOf(uid: number, gid: number): Promise<ChildUser> {
  const name = await id("-un", String(uid));
  if (name === null) {
    throw new Error(
      `Cannot run the embedded PostgreSQL as uid ${uid}: it has no name on this system ` +
        `(/etc/passwd), which PostgreSQL demands. Add a user for it, or use a server: --database URL`,
    );
  }
  const dropsPrivileges = uid !== Deno.uid();
  return {
    uid,
    gid,
    name,
    label: `user "${name}" (uid ${uid})`,
    dropsPrivileges,
    asChild: dropsPrivileges ? { uid, gid } : {},
  };
}

async function ownerOf(
  path: string,
): Promise<{ uid: number; gid: number } | null> {
  try {
    const { uid, gid } = await Deno.lstat(path);
    return uid === null || gid === null ? null : { uid, gid };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** The error where something belongs to another user than the one who would have to use it. */
export async function notOurs(path: string, owner: number): Promise<Error> {
  const name = await id("-un", String(owner)) ?? "somebody";
  return new Error(
    `Cannot run the embedded PostgreSQL in ${path}: it belongs to ${name} (uid ${owner}), and this process runs as uid ${Deno.uid()}. ` +
      `Run as ${name} (as root: runuser -u ${name} -- bigbrotr …), or choose another --data-dir`,
  );
}

/** POSIX's id(1) knows every source of names that the system has; null when it does not know this one. */
async function id(what: string, whom: string): Promise<string | null> {
  const { success, stdout } = await new Deno.Command("id", {
    args: [what, whom],
    stdin: "null",
    stderr: "null",
  }).output();
  return success ? new TextDecoder().decode(stdout).trim() : null;
}
