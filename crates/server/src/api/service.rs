//! Small questions to the service: `gmf`, `whyamiblocked`, `wmip`, `qbq` (`protocol-api.md` 2.4 and 2.12).

use supermega_protocol::Flag;
use supermega_protocol::service::{
    Address, FetchAddress, FetchBlockReason, FetchFlags, QueryTransferQuota, ServiceFlags,
};

use super::call::{ApiError, COUNTRY, Call, Handle};

impl Handle for FetchFlags {
    fn handle(self, _: &mut Call<'_>) -> Result<ServiceFlags, ApiError> {
        Ok(ServiceFlags { nlfe: Flag::SET, mfae: Flag::SET, ..ServiceFlags::default() })
    }
}

impl Handle for FetchBlockReason {
    fn handle(self, call: &mut Call<'_>) -> Result<u16, ApiError> {
        // This server blocks nobody; a fault may say otherwise (`whyamiblocked:result=200`).
        call.user().map(|_| 0)
    }
}

impl Handle for FetchAddress {
    fn handle(self, call: &mut Call<'_>) -> Result<Address, ApiError> {
        Ok(Address { cc: COUNTRY.into(), ip: call.client.ip.to_owned() })
    }
}

impl Handle for QueryTransferQuota {
    fn handle(self, _: &mut Call<'_>) -> Result<u8, ApiError> {
        // This server counts no transfer: everything fits.
        Ok(0)
    }
}
