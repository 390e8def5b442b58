"""fastapi-users on PostgreSQL, with its JWT and its database strategy side by side. PGHOST and the like name the database."""

import asyncio
import os
import uuid
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, FastAPI
from fastapi_users import BaseUserManager, FastAPIUsers, UUIDIDMixin, schemas
from fastapi_users.authentication import AuthenticationBackend, BearerTransport, JWTStrategy
from fastapi_users.authentication.strategy.db import AccessTokenDatabase, DatabaseStrategy
from fastapi_users_db_sqlalchemy import SQLAlchemyBaseUserTableUUID, SQLAlchemyUserDatabase
from fastapi_users_db_sqlalchemy.access_token import SQLAlchemyAccessTokenDatabase, SQLAlchemyBaseAccessTokenTableUUID
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase

SECRET = os.environ["SECRET"]
LIFETIME = 3600
engine = create_async_engine("postgresql+asyncpg://", pool_size=20, max_overflow=0)
begin_session = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    pass


class User(SQLAlchemyBaseUserTableUUID, Base):
    pass


class AccessToken(SQLAlchemyBaseAccessTokenTableUUID, Base):
    pass


class Shown(schemas.BaseUser[uuid.UUID]):
    pass


class Registering(schemas.BaseUserCreate):
    pass


class Users(UUIDIDMixin, BaseUserManager[User, uuid.UUID]):
    reset_password_token_secret = SECRET
    verification_token_secret = SECRET


async def database() -> AsyncIterator[AsyncSession]:
    async with begin_session() as session:
        yield session


Database = Annotated[AsyncSession, Depends(database)]


async def users(session: Database) -> AsyncIterator[Users]:
    yield Users(SQLAlchemyUserDatabase(session, User))


async def tokens(session: Database) -> AsyncIterator[SQLAlchemyAccessTokenDatabase]:
    yield SQLAlchemyAccessTokenDatabase(session, AccessToken)


def signed() -> JWTStrategy:
    return JWTStrategy(secret=SECRET, lifetime_seconds=LIFETIME)


def stored(kept: Annotated[AccessTokenDatabase[AccessToken], Depends(tokens)]) -> DatabaseStrategy:
    return DatabaseStrategy(kept, lifetime_seconds=LIFETIME)


app = FastAPI()
for name, strategy in (("jwt", signed), ("database", stored)):
    backend = AuthenticationBackend(name, BearerTransport(f"{name}/login"), strategy)
    routes = FastAPIUsers[User, uuid.UUID](users, [backend])
    app.include_router(routes.get_auth_router(backend), prefix=f"/{name}")
    app.include_router(routes.get_users_router(Shown, schemas.BaseUserUpdate), prefix=f"/{name}/users")
    if name == "jwt":
        app.include_router(routes.get_register_router(Shown, Registering))


@app.get("/ready")
async def ready() -> str:
    return "ready"


async def migrate() -> None:
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(migrate())
