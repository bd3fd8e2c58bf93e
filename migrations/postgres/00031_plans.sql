-- +goose Up
-- PostgreSQL counts its tables by itself (sqlite/00031_plans.sql).
SELECT 1;
