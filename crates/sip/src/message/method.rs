//! Request methods.

use std::fmt;

macro_rules! methods {
    ($($variant:ident $text:literal $rfc:literal,)*) => {
        /// A request method. Methods are compared with case (RFC 3261 7.1).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Method<'a> {
            $(#[doc = $rfc] $variant,)*
            /// A method that this crate does not know.
            Other(&'a str),
        }

        impl<'a> Method<'a> {
            /// The method of this name.
            #[must_use]
            pub fn from_name(name: &'a str) -> Self {
                match name {
                    $($text => Self::$variant,)*
                    other => Self::Other(other),
                }
            }

            /// Its name on the wire.
            #[must_use]
            pub const fn as_str(&self) -> &'a str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::Other(name) => name,
                }
            }
        }
    };
}

methods! {
    Invite "INVITE" "RFC 3261 13",
    Ack "ACK" "RFC 3261 13.2.2.4",
    Bye "BYE" "RFC 3261 15",
    Cancel "CANCEL" "RFC 3261 9",
    Register "REGISTER" "RFC 3261 10",
    Options "OPTIONS" "RFC 3261 11",
    Info "INFO" "RFC 6086",
    Update "UPDATE" "RFC 3311",
    Prack "PRACK" "RFC 3262",
    Message "MESSAGE" "RFC 3428",
    Subscribe "SUBSCRIBE" "RFC 6665",
    Notify "NOTIFY" "RFC 6665",
    Refer "REFER" "RFC 3515",
    Publish "PUBLISH" "RFC 3903",
}

impl fmt::Display for Method<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
