//! An account or a folder link: what lies in it, and its changes.

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use supermega::{Error, LinkOptions, Node as TreeNode, RemotePath, Tree};
use tokio::sync::OnceCell;

use crate::error::Failure;
use crate::events::Events;
use crate::link::{self, Listed};
use crate::meter::{Meter, progress};
use crate::node::{Node, Walk, nodes};
use crate::operation::Operation;
use crate::remote_file::RemoteFile;
use crate::runtime::Kept;
use crate::upload::{self, Order, Source};

/// An account that is logged in, or an open folder link.
#[pyclass(frozen, module = "supermega._supermega")]
pub struct Session(Arc<Kept<Open>>);

struct Open {
    session: supermega::Session,
    /// Whether the tree is to show what others do.
    live: bool,
    following: OnceCell<()>,
}

impl Open {
    async fn tree(&self) -> Result<Tree, Error> {
        if self.live {
            let follow = || async { self.session.events().await.map(drop) };
            self.following.get_or_try_init(follow).await?;
        }
        self.session.tree().await
    }

    async fn at(&self, place: &str) -> Result<TreeNode, Error> {
        self.tree().await?.at(&place.parse()?)
    }
}

/// How much an account holds, in bytes.
#[pyclass(frozen, get_all, module = "supermega._supermega")]
pub struct Quota {
    /// Used, with the rubbish bin and old versions.
    pub used: u64,
    /// The limit.
    pub total: u64,
    /// What is left.
    pub free: u64,
    /// Of what is used, old versions.
    pub versions: u64,
    /// How many files.
    pub files: u64,
    /// How many folders.
    pub folders: u64,
}

#[pymethods]
impl Quota {
    fn __repr__(&self) -> String {
        format!("<quota: {} of {} bytes used>", self.used, self.total)
    }
}

impl Session {
    pub fn new(session: supermega::Session, live: bool) -> Self {
        Self(Arc::new(Kept::new(Open { session, live, following: OnceCell::new() })))
    }

    fn operation<T, F>(&self, work: impl FnOnce(Arc<Kept<Open>>) -> F) -> Operation
    where
        T: for<'py> IntoPyObject<'py> + Send + 'static,
        F: Future<Output = Result<T, Failure>> + Send + 'static,
    {
        Operation::new(work(self.0.clone()))
    }
}

#[pymethods]
impl Session {
    /// The address of the service.
    #[getter]
    fn api_url(&self) -> String {
        self.0.session.client().api_url().to_owned()
    }

    /// E-mail address of the account, if it has one.
    #[getter]
    fn email(&self) -> Option<String> {
        self.0.session.account().and_then(|account| account.email.clone())
    }

    /// Full name of the account's owner, if it is known.
    #[getter]
    fn full_name(&self) -> Option<String> {
        self.0.session.account().and_then(|account| account.name.clone())
    }

    /// Handle of the user; nothing for a folder link.
    #[getter]
    fn user(&self) -> Option<String> {
        self.0.session.account().map(|account| account.user.to_string())
    }

    /// Whether it is a folder link, which cannot be changed.
    #[getter]
    fn is_folder_link(&self) -> bool {
        self.0.session.is_folder_link()
    }

    /// The session as text, which is as good as the password, and does not hold it.
    fn save(&self) -> String {
        self.0.session.save().to_string()
    }

    /// Fetches all nodes anew.
    fn refresh(&self) -> Operation {
        self.operation(|open| async move { Ok(open.session.refresh().await.map(drop)?) })
    }

    /// The node at a place.
    fn node(&self, place: String) -> Operation {
        self.operation(|open| async move { Ok(Node(open.at(&place).await?)) })
    }

    /// The root of the cloud drive, the rubbish bin (`trash`) or the vault (`vault`).
    fn root(&self, kind: String) -> Operation {
        self.operation(|open| async move {
            let tree = open.tree().await?;
            Ok(Node(match kind.as_str() {
                "trash" => tree.trash()?,
                "vault" => tree.vault()?,
                _ => tree.root()?,
            }))
        })
    }

    /// What lies in a folder, in the order of names; a file is given alone.
    fn children(&self, place: String) -> Operation {
        self.operation(|open| async move {
            let tree = open.tree().await?;
            let node = tree.at(&place.parse()?)?;
            Ok(nodes(if node.is_file() { vec![node] } else { tree.children(&node) }))
        })
    }

    /// All nodes of a name below a place.
    fn find(&self, place: String, name: String) -> Operation {
        self.operation(|open| async move {
            let tree = open.tree().await?;
            let node = tree.at(&place.parse()?)?;
            let below = tree.walk_from(&node).flat_map(|step| [step.folders, step.files].concat());
            Ok(nodes(below.filter(|node| node.name() == Some(&name)).collect()))
        })
    }

    /// Goes through the folders below a place.
    fn walk(&self, place: String) -> Operation {
        self.operation(|open| async move {
            let tree = open.tree().await?;
            let node = tree.at(&place.parse()?)?;
            Ok(Walk::new(&tree, &node))
        })
    }

    /// The path of the node at a place.
    fn path(&self, place: String) -> Operation {
        self.operation(|open| async move {
            let tree = open.tree().await?;
            let node = tree.at(&place.parse()?)?;
            Ok(tree.path_of(&node).to_string())
        })
    }

    /// Bytes, files and folders below a place.
    fn usage(&self, place: String) -> Operation {
        self.operation(|open| async move {
            let tree = open.tree().await?;
            let usage = tree.usage(&tree.at(&place.parse()?)?);
            Ok((usage.bytes, usage.files, usage.folders))
        })
    }

    /// Makes a folder.
    fn mkdir(&self, place: String, parents: bool, exist_ok: bool) -> Operation {
        self.operation(|open| async move {
            let path: RemotePath = place.parse()?;
            match open.tree().await?.at(&path) {
                Ok(node) if exist_ok && !node.is_file() => return Ok(Node(node)),
                Ok(_) => return Err(Error::AlreadyExists { path: place }.into()),
                Err(Error::NotFound { .. }) => {}
                Err(error) => return Err(error.into()),
            }
            Ok(Node(match parents {
                true => open.session.make_folders(&path).await?,
                false => open.session.make_folder(&path).await?,
            }))
        })
    }

    /// Gives a node another name.
    fn rename(&self, place: String, name: String) -> Operation {
        self.operation(|open| async move {
            let node = open.at(&place).await?;
            Ok(Node(open.session.rename(&node, &name).await?))
        })
    }

    /// Moves a node into a folder.
    #[pyo3(name = "move")]
    fn move_to(&self, place: String, folder: String) -> Operation {
        self.operation(|open| async move {
            let (node, folder) = (open.at(&place).await?, open.at(&folder).await?);
            Ok(Node(open.session.move_to(&node, &folder).await?))
        })
    }

    /// Copies a node into a folder, on the server.
    fn copy(&self, place: String, folder: String, name: Option<String>) -> Operation {
        self.operation(|open| async move {
            let (node, folder) = (open.at(&place).await?, open.at(&folder).await?);
            let name = name.unwrap_or_else(|| crate::node::name_of(&node));
            Ok(Node(open.session.copy(&node, &folder, &name).await?))
        })
    }

    /// Gives a file the content of another, on the server; what it had becomes an old version.
    fn copy_over(&self, place: String, replaced: String) -> Operation {
        self.operation(|open| async move {
            let (node, replaced) = (open.at(&place).await?, open.at(&replaced).await?);
            Ok(Node(open.session.copy_over(&node, &replaced).await?))
        })
    }

    /// Moves a node to the rubbish bin.
    fn trash(&self, place: String) -> Operation {
        self.operation(|open| async move {
            let node = open.at(&place).await?;
            Ok(Node(open.session.trash(&node).await?))
        })
    }

    /// Moves a node out of the rubbish bin, to where it lay before.
    fn restore(&self, place: String) -> Operation {
        self.operation(|open| async move {
            let node = open.at(&place).await?;
            Ok(Node(open.session.restore(&node).await?))
        })
    }

    /// Deletes a node for good.
    fn delete(&self, place: String) -> Operation {
        self.operation(|open| async move {
            let node = open.at(&place).await?;
            Ok(open.session.delete(&node).await?)
        })
    }

    /// Deletes everything in the rubbish bin for good.
    fn empty_trash(&self) -> Operation {
        self.operation(|open| async move { Ok(open.session.empty_trash().await?) })
    }

    /// The file at a place, to be fetched.
    fn file(&self, place: String) -> Operation {
        self.operation(|open| async move {
            let node = open.at(&place).await?;
            Ok(RemoteFile::of_node(&open.session, &node)?)
        })
    }

    /// Uploads a local file.
    #[pyo3(signature = (path, remote, *, overwrite = true, wait_for_quota = false, meter = None))]
    fn upload(
        &self,
        path: PathBuf,
        remote: String,
        overwrite: bool,
        wait_for_quota: bool,
        meter: Option<&Bound<'_, Meter>>,
    ) -> Operation {
        let (source, progress) = (Source::Path(path), progress(meter));
        let modified = None;
        self.operation(|open| async move {
            let tree = open.tree().await?;
            let order = Order { source, remote, modified, overwrite, wait_for_quota, progress };
            Ok(Node(upload::run(open.session.clone(), tree, order).await?))
        })
    }

    /// Uploads bytes.
    #[pyo3(signature = (data, remote, *, modified = None, overwrite = true, wait_for_quota = false, meter = None))]
    fn upload_bytes(
        &self,
        data: PyBackedBytes,
        remote: String,
        modified: Option<i64>,
        overwrite: bool,
        wait_for_quota: bool,
        meter: Option<&Bound<'_, Meter>>,
    ) -> Operation {
        let (source, progress) = (Source::Bytes(data), progress(meter));
        self.operation(|open| async move {
            let tree = open.tree().await?;
            let order = Order { source, remote, modified, overwrite, wait_for_quota, progress };
            Ok(Node(upload::run(open.session.clone(), tree, order).await?))
        })
    }

    /// Makes the public link of a node, or finds the one it has.
    #[pyo3(signature = (place, *, expires = None, password = None))]
    fn link(&self, place: String, expires: Option<f64>, password: Option<String>) -> Operation {
        self.operation(|open| async move {
            let node = open.at(&place).await?;
            let expires = expires.map(|at| {
                let wrong = |_| Failure::Input(format!("{at} is no time"));
                let since = Duration::try_from_secs_f64(at).map_err(wrong)?;
                Ok::<_, Failure>(SystemTime::UNIX_EPOCH + since)
            });
            let options = LinkOptions { expires: expires.transpose()?, ..LinkOptions::default() };
            let made = open.session.make_link_with(&node, options).await?;
            match password {
                Some(password) => link::protect(made.link, password).await,
                None => Ok(made.link.to_url()),
            }
        })
    }

    /// Ends the public link of a node.
    fn unlink(&self, place: String) -> Operation {
        self.operation(|open| async move {
            let node = open.at(&place).await?;
            Ok(open.session.remove_link(&node).await?)
        })
    }

    /// All public links of the account.
    fn links(&self) -> Operation {
        self.operation(|open| async move {
            let links = open.session.links().await?;
            Ok(links.into_iter().map(Listed).collect::<Vec<_>>())
        })
    }

    /// Copies what a public link leads to into a folder of the account, on the server. What cannot be read is left
    /// out.
    #[pyo3(signature = (url, folder, *, password = None))]
    fn import_link(&self, url: String, folder: String, password: Option<String>) -> Operation {
        self.operation(|open| async move {
            let link = link::read(&url, password).await?;
            let folder = open.at(&folder).await?;
            let client = open.session.client();
            if let supermega::Link::Folder { inside, .. } = &link {
                let public = client.open_folder(&link).await?;
                let tree = public.tree().await?;
                let source = match inside {
                    None => tree.root()?,
                    Some(supermega::Inside::File(handle) | supermega::Inside::Folder(handle)) => {
                        let missing = || Error::NotFound { what: format!("H:{handle}") };
                        tree.node(*handle).ok_or_else(missing)?
                    }
                };
                return Ok(Node(open.session.import_from(&public, &source, &folder).await?.node));
            }
            let file = client.open_file(&link).await?;
            Ok(Node(open.session.import(&file, &folder).await?))
        })
    }

    /// Asks how much the account holds.
    fn quota(&self) -> Operation {
        self.operation(|open| async move {
            let quota = open.session.quota().await?;
            Ok(Quota {
                used: quota.used,
                total: quota.total,
                free: quota.free(),
                versions: quota.versions,
                files: quota.files,
                folders: quota.folders,
            })
        })
    }

    /// What changes from now on.
    fn events(&self) -> Operation {
        self.operation(|open| async move { Ok(Events::new(open.session.events().await?)) })
    }

    /// Ends the session on the server.
    fn logout(&self) -> Operation {
        self.operation(|open| async move { Ok(open.session.clone().logout().await?) })
    }

    fn __repr__(&self) -> String {
        match self.0.session.account() {
            Some(account) => match &account.email {
                Some(email) => format!("<session of {email}>"),
                None => format!("<session of {}>", account.user),
            },
            None => "<session of a folder link>".into(),
        }
    }
}
